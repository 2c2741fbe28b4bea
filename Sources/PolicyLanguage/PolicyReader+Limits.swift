// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import YAMLDocument

// What no class can go beyond.

extension PolicyReader {
  mutating func readLimits(_ node: YAMLNode) {
    for entry in mapping(node, "limits") ?? [] {
      switch entry.key {
      case "perVM": readVMLimits(entry.value)
      case "deviations": readDeviations(entry.value)
      case "tenantKeys": readTenantKeys(entry.value)
      default: unknown(entry, "limits", ["perVM", "deviations", "tenantKeys"])
      }
    }
  }

  private mutating func readVMLimits(_ node: YAMLNode) {
    for entry in mapping(node, "perVM") ?? [] {
      switch entry.key {
      case "buffer":
        if let octets = limit(.buffer, entry.value) { document.limits.buffer = (octets, place(entry.mark)) }
      case "rate":
        guard let bits = limit(.rate, entry.value) else { continue }
        // No limit is none.
        document.limits.rate = bits == 0 ? nil : (bits, place(entry.mark))
      case "flows":
        guard let text = word(entry.value, "flows", "a number") else { continue }
        let range = Classifier.allowedFlows
        guard let number = NumberText.decimal(text), range.contains(number) else {
          fail(entry.value.mark, "flows is \(range.lowerBound) to \(range.upperBound), not \(Suggestion.quoted(text))")
          continue
        }
        document.limits.flows = number
      default: unknown(entry, "perVM", ["buffer", "rate", "flows"])
      }
    }
  }

  /// A number as a knob has it.
  private mutating func limit(_ knob: Knob, _ node: YAMLNode) -> Int? {
    guard let text = word(node, knob.rawValue, "a value") else { return nil }
    switch KnobReading(knob, text) {
    case .value(let value): return value.number
    case .mistake(let sentence):
      fail(node.mark, sentence)
      return nil
    }
  }

  private mutating func readDeviations(_ node: YAMLNode) {
    let form = "everywhere, nowhere, or inside-SET-only with a set of addresses"
    guard let text = word(node, "deviations", form) else { return }
    document.limits.deviationsPlace = place(node.mark)
    switch text {
    case "everywhere": document.limits.deviations = .everywhere
    case "nowhere": document.limits.deviations = .nowhere
    default:
      guard text.hasPrefix("inside-"), text.hasSuffix("-only"), text.utf8.count > 12 else {
        let meant = Suggestion.meant(text, ["everywhere", "nowhere"])
        return fail(node.mark, "deviations is \(form), not \(Suggestion.quoted(text))\(meant)")
      }
      let name = String(text.dropFirst(7).dropLast(5))
      guard let set = set(name, node.mark) else { return }
      guard case .addresses(let blocks) = set.members else {
        return fail(node.mark, "the set \(name) is of \(set.members.kind); deviations want one of addresses")
      }
      // Both ends are in it: a rule becomes one for each pair.
      guard blocks.count <= 32 else {
        return fail(node.mark, "a set for deviations has 32 addresses at the most, and \(name) has \(blocks.count)")
      }
      document.limits.deviations = .inside(name, blocks)
    }
  }

  private mutating func readTenantKeys(_ node: YAMLNode) {
    for node in list(node, "tenantKeys") ?? [] {
      guard let text = word(node, "a tenant's key", "the name of a knob") else { continue }
      if text == "weight" {
        document.limits.tenantKeys += Knob.weights
      } else if let knob = Knob(rawValue: text) {
        document.limits.tenantKeys.append(knob)
      } else {
        let known = Knob.allCases.map(\.rawValue) + ["weight"]
        let meant = Knob.ofFlatKey(text).map { " (did you mean \($0.rawValue)?)" } ?? Suggestion.meant(text, known)
        fail(node.mark, "there is no knob \(Suggestion.quoted(text))\(meant)")
      }
    }
  }

  /// A set by its name, which counts as used; nil, and that is told if there is none. One that is wrong itself was told of.
  mutating func set(_ name: String, _ mark: YAMLMark) -> PolicySet? {
    usedSets.insert(name)
    if brokenSets.contains(name) { return nil }
    if let set = sets[name] { return set }
    fail(mark, "there is no set \(Suggestion.quoted(name))\(Suggestion.meant(name, setNames))")
    return nil
  }
}
