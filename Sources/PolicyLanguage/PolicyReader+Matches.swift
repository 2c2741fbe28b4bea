// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import Wire
import YAMLDocument

// Fields of a match: a value, or a list of which any will do; with ! in front what it must not be; $NAME for a set.

extension PolicyReader {
  private typealias Item = (text: String, mark: YAMLMark, isNot: Bool)

  /// Nil, and that is told: it is wrong.
  mutating func condition(_ field: MatchField, _ entry: YAMLEntry) -> MatchCondition? {
    guard let items = items(field, entry.value) else { return nil }
    guard let test = test(field, items, entry) else { return nil }
    let texts = items.map { ($0.isNot ? "!" : "") + $0.text }
    let text = texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"
    return MatchCondition(field: field, test: test, text: YAMLReader.shown(text), place: place(entry.mark))
  }

  private mutating func items(_ field: MatchField, _ node: YAMLNode) -> [Item]? {
    let nodes = node.elements ?? [node]
    guard !nodes.isEmpty else {
      fail(node.mark, "\(field.rawValue) says nothing: the list is empty")
      return nil
    }
    guard nodes.count <= PolicyDocument.listLimit else {
      fail(node.mark, "a list has \(PolicyDocument.listLimit) values at the most, not \(nodes.count)")
      return nil
    }
    var items: [Item] = []
    for node in nodes {
      guard let text = word(node, field.rawValue, "a value or a list of values") else { return nil }
      let isNot = text.hasPrefix("!")
      let rest = isNot ? String(text.dropFirst()) : text
      if rest == "any" {
        fail(node.mark, "any stands alone, where a field may be anything")
        return nil
      }
      if rest.isEmpty {
        fail(node.mark, "nothing stands behind the !")
        return nil
      }
      items.append((rest, node.mark, isNot))
    }
    return items
  }

  private mutating func test(_ field: MatchField, _ items: [Item], _ entry: YAMLEntry) -> MatchTest? {
    switch field.kind {
    case .names: names(field, items)
    case .addresses: addresses(field, items, entry)
    case .ports: numbers(field, items, 0...65535, orNone: false, entry)
    case .numbers(let range, let orNone): numbers(field, items, range, orNone: orNone, entry)
    case .opener: opener(items)
    }
  }

  private mutating func opener(_ items: [Item]) -> MatchTest? {
    guard items.count == 1, let item = items.first, !item.isNot,
      let end = ConnectionEnd.allCases.first(where: { "\($0)" == item.text })
    else {
      guard let item = items.first else { return nil }
      guard items.count == 1 else {
        fail(item.mark, "opener is guest or network, not a list: where it may be either, it is not said")
        return nil
      }
      let meant = Suggestion.meant(item.text, ["guest", "network"])
      fail(
        item.mark, "opener is guest or network, not \(Suggestion.quoted((item.isNot ? "!" : "") + item.text))\(meant)")
      return nil
    }
    return .opener(end)
  }

  private mutating func names(_ field: MatchField, _ items: [Item]) -> MatchTest? {
    var match = NameMatch()
    for item in items {
      var texts = [item.text]
      if item.text.hasPrefix("$") {
        guard let set = set(String(item.text.dropFirst()), item.mark) else { return nil }
        guard case .names(let names) = set.members else { return wrongKind(set, field, "names", item.mark) }
        texts = names
      }
      for text in texts {
        guard let pattern = pattern(field, text, item.mark) else { return nil }
        if item.isNot { match.unwanted.append(pattern) } else { match.wanted.append(pattern) }
      }
    }
    return .names(match)
  }

  /// A VM's or NIC's name as it is compared.
  private mutating func pattern(_ field: MatchField, _ text: String, _ mark: YAMLMark) -> NamePattern? {
    if field == .mac {
      if (try? MACAddress(parsing: text)) == nil {
        fail(mark, "mac is six pairs of digits, 52:54:00:12:34:56, not \(Suggestion.quoted(text))")
        return nil
      }
    } else if field == .uuid {
      let parts = text.split(separator: "-", omittingEmptySubsequences: false)
      guard parts.map(\.utf8.count) == [8, 4, 4, 4, 12], parts.allSatisfy({ $0.allSatisfy(\.isHexDigit) }) else {
        fail(mark, "uuid is as virsh domuuid prints it, 8-4-4-4-12 digits, not \(Suggestion.quoted(text))")
        return nil
      }
    } else if text.utf8.count > 256 {
      fail(mark, "a name has 256 octets at the most")
      return nil
    } else {
      return NamePattern(text)
    }
    return NamePattern(text.lowercased())
  }

  private mutating func wrongKind(_ set: PolicySet, _ field: MatchField, _ wanted: String, _ mark: YAMLMark)
    -> MatchTest?
  {
    fail(mark, "the set \(set.name) is of \(set.members.kind), and \(field.rawValue) wants one of \(wanted)")
    return nil
  }

  private mutating func addresses(_ field: MatchField, _ items: [Item], _ entry: YAMLEntry) -> MatchTest? {
    var (wanted, unwanted): ([AddressBlock], [AddressBlock]) = ([], [])
    for item in items {
      var blocks: [AddressBlock] = []
      if item.text.hasPrefix("$") {
        guard let set = set(String(item.text.dropFirst()), item.mark) else { return nil }
        guard case .addresses(let members) = set.members else { return wrongKind(set, field, "addresses", item.mark) }
        blocks = members
      } else {
        guard let block = address(item.text, item.mark) else { return nil }
        blocks = [block]
      }
      if item.isNot { unwanted += blocks } else { wanted += blocks }
    }
    let whole = wanted.isEmpty ? AddressBlock.everything : wanted
    let left = AddressBlock.subtract(unwanted, from: whole, limit: Classifier.ruleLimit)
    guard left.count <= Classifier.ruleLimit else {
      fail(
        entry.mark, "\(field.rawValue) needs more than \(Classifier.ruleLimit) prefixes; say it with fewer exceptions")
      return nil
    }
    guard !left.isEmpty else {
      fail(entry.mark, "no address is left of \(field.rawValue)")
      return nil
    }
    return .addresses(left)
  }

  private mutating func numbers(
    _ field: MatchField, _ items: [Item], _ allowed: ClosedRange<Int>, orNone: Bool, _ entry: YAMLEntry
  ) -> MatchTest? {
    var (wanted, unwanted): ([ClosedRange<Int>], [ClosedRange<Int>]) = ([], [])
    var mayLack = false
    for item in items {
      if item.isNot, orNone {
        fail(item.mark, "\(field.rawValue) has no 'not': say what it may be, or put a rule for what it is not in front")
        return nil
      }
      if orNone, item.text == "none" {
        mayLack = true
        continue
      }
      guard let ranges = ranges(field, item.text, item.mark, allowed, orNone: orNone) else { return nil }
      if item.isNot { unwanted += ranges } else { wanted += ranges }
    }
    let whole = wanted.isEmpty && !mayLack ? [allowed] : wanted
    let left = Self.subtract(unwanted, from: whole)
    guard !left.isEmpty || mayLack else {
      fail(entry.mark, "nothing is left of \(field.rawValue)")
      return nil
    }
    return .numbers(left, orNone: mayLack)
  }

  private mutating func ranges(
    _ field: MatchField, _ text: String, _ mark: YAMLMark, _ allowed: ClosedRange<Int>, orNone: Bool
  ) -> [ClosedRange<Int>]? {
    if field == .proto, text == "tcp" { return [6...6] }
    if field == .proto, ["udp", "icmp", "sctp", "quic"].contains(text) {
      fail(mark, "proto is tcp: nothing else is a connection here, and a rule for \(text) would be for nothing")
      return nil
    }
    if text.hasPrefix("$") {
      guard let set = set(String(text.dropFirst()), mark) else { return nil }
      guard case .numbers(let ranges) = set.members else {
        _ = wrongKind(set, field, "numbers", mark)
        return nil
      }
      guard let wrong = ranges.first(where: { !allowed.contains($0.lowerBound) || !allowed.contains($0.upperBound) })
      else { return ranges }
      let shown = wrong.count == 1 ? "\(wrong.lowerBound)" : "\(wrong.lowerBound)-\(wrong.upperBound)"
      fail(
        mark,
        "\(field.rawValue) is \(allowed.lowerBound) to \(allowed.upperBound), and the set \(set.name) has \(shown)")
      return nil
    }
    guard let range = NumberText.range(text), allowed.contains(range.lowerBound), allowed.contains(range.upperBound)
    else {
      let or = orNone ? ", or none" : field == .proto ? ", or tcp" : ""
      let words = orNone ? ["none"] : field == .proto ? ["tcp"] : []
      fail(
        mark,
        "\(field.rawValue) is \(allowed.lowerBound) to \(allowed.upperBound), a range\(or), not \(Suggestion.quoted(text))\(Suggestion.meant(text, words))"
      )
      return nil
    }
    return [range]
  }

  /// Ranges in order, those that touch made one, without others.
  static func subtract(_ others: [ClosedRange<Int>], from ranges: [ClosedRange<Int>]) -> [ClosedRange<Int>] {
    var left: [ClosedRange<Int>] = []
    for range in joined(ranges) {
      var next = range.lowerBound
      for other in joined(others) where other.overlaps(range) {
        if other.lowerBound > next { left.append(next...other.lowerBound - 1) }
        next = max(next, other.upperBound + 1)
      }
      if next <= range.upperBound { left.append(next...range.upperBound) }
    }
    return left
  }

  private static func joined(_ ranges: [ClosedRange<Int>]) -> [ClosedRange<Int>] {
    var joined: [ClosedRange<Int>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = joined.last, range.lowerBound <= last.upperBound + 1 {
        joined[joined.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        joined.append(range)
      }
    }
    return joined
  }
}
