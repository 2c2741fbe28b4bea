// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import YAMLDocument

// Sets: addresses, numbers or names that rules speak of by one name.

extension PolicyReader {
  mutating func readSets(_ node: YAMLNode) {
    for entry in mapping(node, "sets") ?? [] {
      guard let name = name(entry, "a set") else { continue }
      if let other = sets[name] {
        fail(entry.mark, "there is a set \(name) already, at \(other.place.line)")
        continue
      }
      guard sets.count < PolicyDocument.setLimit else {
        return fail(entry.mark, "there are \(PolicyDocument.setLimit) sets at the most")
      }
      let members = members(entry.value, name)
      // Without members the name is there nevertheless: rules that name it are no mistakes.
      sets[name] = PolicySet(name: name, place: place(entry.mark), members: members ?? .names([]))
      setNames.append(name)
      if members == nil { brokenSets.insert(name) }
    }
  }

  private mutating func members(_ node: YAMLNode, _ name: String) -> PolicySet.Members? {
    guard let nodes = list(node, "a set") else { return nil }
    guard !nodes.isEmpty else {
      fail(node.mark, "the set \(name) is empty")
      return nil
    }
    guard nodes.count <= PolicyDocument.listLimit else {
      fail(node.mark, "a set has \(PolicyDocument.listLimit) members at the most, not \(nodes.count)")
      return nil
    }
    var (addresses, numbers, names): ([AddressBlock], [ClosedRange<Int>], [String]) = ([], [], [])
    var isGood = true
    for node in nodes {
      guard let text = word(node, "a member", "an address, a number or a name") else {
        isGood = false
        continue
      }
      if text.hasPrefix("$") || text.hasPrefix("!") {
        fail(node.mark, "a set has no other sets in it, and nothing that is not: rules say [$a, $b] and \"!$a\"")
        isGood = false
      } else if let range = NumberText.range(text) {
        numbers.append(range)
      } else if AddressParser.prefix(Substring(text)) != nil || Self.looksLikeAddress(text) {
        if let block = address(text, node.mark) { addresses.append(block) } else { isGood = false }
      } else {
        names.append(text)
      }
      guard [addresses.isEmpty, numbers.isEmpty, names.isEmpty].filter({ !$0 }).count <= 1 else {
        fail(node.mark, "a set is of addresses, of numbers or of names; \(Suggestion.quoted(text)) is of another kind")
        return nil
      }
    }
    guard isGood else { return nil }
    if !addresses.isEmpty { return .addresses(AddressBlock.normalized(addresses)) }
    return numbers.isEmpty ? .names(names) : .numbers(numbers)
  }

  /// Digits and dots, or colons, with a slash perhaps: somebody meant an address, whatever is wrong with it.
  static func looksLikeAddress(_ text: String) -> Bool {
    guard text.utf8.contains(UInt8(ascii: ".")) || text.utf8.contains(UInt8(ascii: ":")),
      text.split(separator: ":", omittingEmptySubsequences: false).count != 6 || text.utf8.contains(UInt8(ascii: "/"))
    else { return false }
    let isIPv6 = text.utf8.contains(UInt8(ascii: ":"))
    return text.utf8.allSatisfy { octet in
      switch octet {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: ":"): true
      case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): isIPv6
      default: false
      }
    }
  }

  /// A prefix or an address; nil, and that is told: it is none.
  mutating func address(_ text: String, _ mark: YAMLMark) -> AddressBlock? {
    guard let prefix = AddressParser.prefix(Substring(text)) else {
      fail(mark, "\(Suggestion.quoted(text)) is no prefix: 10.0.0.0/8, fd00::/8, or an address")
      return nil
    }
    guard prefix.allowedLength.contains(prefix.length) else {
      fail(
        mark,
        "a prefix of IPv\(prefix.ipVersion) has 0 to \(prefix.allowedLength.upperBound) bits, not \(prefix.length)")
      return nil
    }
    let block = AddressBlock(prefix)
    // What its length leaves out is gone.
    guard block.prefix == prefix else {
      fail(mark, "\(Suggestion.quoted(text)) has bits that its length leaves out (did you mean \(block)?)")
      return nil
    }
    return block
  }
}
