// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import Timekeeping
import YAMLDocument

/// Takes values out of a mapping of a YAML text, and notes what is wrong with them, all of it.
struct SettingsReader {
  var mistakes: MistakeList
  private let entries: [String: YAMLEntry]
  private let prefix: String

  /// - Parameters:
  ///   - prefix: what the mapping is called, for sentences: `nics.`.
  ///   - known: the keys that there are; others are mistakes.
  init(_ node: YAMLNode, prefix: String = "", known: [String], mistakes: MistakeList) {
    self.mistakes = mistakes
    self.prefix = prefix
    guard let found = node.entries else {
      entries = [:]
      if !node.isNull {
        self.mistakes.add(
          node.mark,
          "\(prefix.isEmpty ? "it" : "'\(prefix.dropLast())'") is a mapping of keys to values, not \(node.kind)")
      }
      return
    }
    entries = Dictionary(found.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    for entry in found where !known.contains(entry.key) {
      let meant = NearestWord.of(entry.key, in: known).map { " (did you mean \($0)?)" } ?? ""
      self.mistakes.add(entry.mark, "there is no key '\(prefix)\(entry.key)'\(meant)")
    }
  }

  func node(_ key: String) -> YAMLNode? {
    guard let value = entries[key]?.value, !value.isNull else { return nil }
    return value
  }

  mutating func fail(_ key: String, _ sentence: String) {
    guard let entry = entries[key] else { return }
    mistakes.add(entry.value.mark, "'\(prefix)\(key)' \(sentence)")
  }

  /// What `understand` makes of the value; nil, and a mistake, if it makes nothing of it.
  mutating func value<Value>(_ key: String, _ isWhat: String, _ understand: (String) -> Value?) -> Value? {
    guard let node = node(key) else { return nil }
    guard let text = node.text else {
      mistakes.add(node.mark, "'\(prefix)\(key)' is \(isWhat), not \(node.kind)")
      return nil
    }
    guard let value = understand(text) else {
      mistakes.add(node.mark, "'\(prefix)\(key)' is \(isWhat), not '\(text.prefix(80))'")
      return nil
    }
    return value
  }

  mutating func text(_ key: String) -> String? { value(key, "a text") { $0 } }

  /// A path from the root on, without a slash at its end.
  mutating func path(_ key: String) -> String? {
    value(key, "a path that begins with a slash") { Self.path($0) }
  }

  mutating func number(_ key: String, _ range: ClosedRange<Int>) -> Int? {
    value(key, "a number from \(range.lowerBound) to \(range.upperBound)") { text in
      Int(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  mutating func word(_ key: String, of words: [String]) -> String? {
    guard let node = node(key) else { return nil }
    if let text = node.text, words.contains(text) { return text }
    let meant = node.text.flatMap { NearestWord.of($0, in: words) }.map { " (did you mean \($0)?)" } ?? ""
    let given = node.text.map { "'\($0.prefix(80))'" } ?? node.kind
    mistakes.add(node.mark, "'\(prefix)\(key)' is \(Self.alternatives(words)), not \(given)\(meant)")
    return nil
  }

  /// `256MiB`
  mutating func octets(_ key: String, _ range: ClosedRange<UInt64>) -> UInt64? {
    value(key, "a size such as 256MiB, from \(range.lowerBound) to \(range.upperBound) octets") { text in
      Self.octets(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// `100ms`, `2s`, `5m`, up to a day.
  mutating func interval(_ key: String) -> Interval? {
    value(key, "a time such as 100ms, 2s or 5m, up to a day") { Self.interval($0) }
  }

  /// One text, or a list of them.
  mutating func texts(_ key: String, _ isWhat: String) -> [String]? {
    guard let node = node(key) else { return nil }
    if let text = node.text { return [text] }
    guard let elements = node.elements else {
      mistakes.add(node.mark, "'\(prefix)\(key)' is \(isWhat), or a list of them, not \(node.kind)")
      return nil
    }
    var texts: [String] = []
    for element in elements {
      guard let text = element.text else {
        mistakes.add(element.mark, "in '\(prefix)\(key)' there is \(element.kind), where \(isWhat) is to stand")
        continue
      }
      texts.append(text)
    }
    return texts
  }

  static func path(_ text: String) -> String? {
    guard text.utf8.first == UInt8(ascii: "/"), !text.utf8.contains(0), text.utf8.count < 4096 else { return nil }
    let parts = text.split(separator: "/")
    return parts.contains("..") ? nil : "/" + parts.filter { $0 != "." }.joined(separator: "/")
  }

  static func octets(_ text: String) -> UInt64? {
    let units: [(String, UInt64)] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)]
    guard let (unit, factor) = units.first(where: { text.hasSuffix($0.0) }) else { return nil }
    let digits = text.dropLast(unit.count)
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let number = UInt64(digits)
    else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: factor)
    return overflow ? nil : product
  }

  static func interval(_ text: String) -> Interval? {
    let units: [(String, Int64)] = [
      ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ]
    guard let (unit, factor) = units.first(where: { text.hasSuffix($0.0) }) else { return nil }
    let digits = text.dropLast(unit.count)
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let number = Int64(digits)
    else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: factor)
    return overflow || product > 86_400_000_000_000 ? nil : .nanoseconds(product)
  }

  private static func alternatives(_ words: [String]) -> String {
    guard words.count > 1, let last = words.last else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " or " + last
  }
}
