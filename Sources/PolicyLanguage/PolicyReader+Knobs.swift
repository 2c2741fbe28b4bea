// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import YAMLDocument

// Values of knobs: in a class, in its `tx` and `rx`, and in what a phase sets.

extension PolicyReader {
  private static let parts = [KnobPart.transmit, .receive]

  /// What the entries set: outside of `tx` and `rx` first, so that those win.
  ///
  /// - Parameters:
  ///   - path: where they stand: `classes.bulk`.
  ///   - what: the same for people: `a class`.
  ///   - others: keys that are somebody else's.
  mutating func settings(
    _ entries: [YAMLEntry], path: String, what: String, others: [String] = []
  ) -> [KnobSetting] {
    let known = others + Knob.keys + ["tx", "rx"]
    var found = settings(entries, .both, path: path, what: what, known: known, others: others + ["tx", "rx"])
    for part in Self.parts {
      for entry in entries where entry.key == part.rawValue {
        guard let inner = mapping(entry.value, part.rawValue) else { continue }
        found += settings(
          inner, part, path: "\(path).\(part.rawValue)", what: part.rawValue, known: Knob.keys, others: [])
      }
    }
    return found
  }

  private mutating func settings(
    _ entries: [YAMLEntry], _ part: KnobPart, path: String, what: String, known: [String], others: [String]
  ) -> [KnobSetting] {
    var found: [KnobSetting] = []
    for entry in entries where !others.contains(entry.key) {
      if Knob.groups.contains(entry.key) {
        for inner in mapping(entry.value, entry.key) ?? [] {
          guard let knob = Knob(rawValue: "\(entry.key).\(inner.key)") else {
            let keys = Knob.allCases.filter { $0.group == entry.key }.map(\.key)
            unknown(inner, entry.key, keys)
            continue
          }
          found += settings(knob, inner, part, path: "\(path).\(entry.key)")
        }
      } else if entry.key == "weight" {
        for other in entries where Knob.weights.contains(where: { $0.rawValue == other.key }) {
          fail(other.mark, "\(other.key) is said by weight already, on line \(entry.mark.line)")
        }
        for knob in Knob.weights { found += settings(knob, entry, part, path: path) }
      } else if let knob = Knob(rawValue: entry.key), knob.group == nil {
        found += settings(knob, entry, part, path: path)
      } else {
        unknown(entry, what, known, meant: Self.meant(entry.key))
      }
    }
    return found
  }

  private mutating func settings(
    _ knob: Knob, _ entry: YAMLEntry, _ part: KnobPart, path: String
  ) -> [KnobSetting] {
    guard part == .both || knob.parts != .both else {
      // Of weight, which sets two, once.
      if entry.key != "weight" || knob == .bufferWeight {
        fail(entry.mark, "\(entry.key) is for both directions: it stands outside of \(part.rawValue)")
      }
      return []
    }
    guard let value = value(knob, entry) else { return [] }
    let slots = part == .both ? knob.slots : [KnobSlot(knob: knob, part: part)]
    return slots.map { KnobSetting(slot: $0, value: value, place: place(entry.mark), path: path) }
  }

  /// The knob that somebody meant who knows it by its name elsewhere, or by its path.
  private static func meant(_ key: String) -> String? {
    if let knob = Knob(rawValue: key), let group = knob.group { return "\(group): { \(knob.key): ... }" }
    return Knob.ofFlatKey(key)?.rawValue
  }

  private mutating func value(_ knob: Knob, _ entry: YAMLEntry) -> KnobValue? {
    let reading: KnobReading
    if case .options(let names) = knob.kind, let nodes = entry.value.elements {
      var words: [String] = []
      for node in nodes {
        guard let word = word(node, knob.rawValue, "a list of words") else { return nil }
        // Each has a place of its own.
        if case .mistake(let sentence) = KnobReading.options(knob, [word], names) {
          fail(node.mark, sentence)
          return nil
        }
        words.append(word)
      }
      reading = KnobReading.options(knob, words, names)
    } else {
      guard let text = entry.value.text else {
        if entry.key != "weight" || knob == .bufferWeight {
          fail(entry.value.mark, "\(entry.key) has a value, not \(entry.value.kind)")
        }
        return nil
      }
      if entry.key == "weight" {
        // One value for two, by the narrower bounds.
        guard let number = NumberText.decimal(text), (1...255).contains(number) else {
          if knob == .bufferWeight { fail(entry.value.mark, "weight is 1 to 255, not \(Suggestion.quoted(text))") }
          return nil
        }
        return .number(number)
      }
      reading = KnobReading(knob, text)
    }
    switch reading {
    case .value(let value): return value
    case .mistake(let sentence):
      fail(entry.value.mark, sentence)
      return nil
    }
  }
}
