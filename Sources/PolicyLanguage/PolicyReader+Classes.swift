// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import Timekeeping
import YAMLDocument

// Classes: how connections are treated.

extension PolicyReader {
  private static let keys = ["extends", "phases", "adapt"]

  mutating func readClasses(_ node: YAMLNode) {
    for entry in mapping(node, "classes") ?? [] {
      guard let name = name(entry, "a class") else { continue }
      if let other = document.classes[name] {
        fail(entry.mark, "there is a class \(name) already, at \(other.place.line)")
        continue
      }
      guard document.classes.count < PolicyDocument.classLimit else {
        return fail(entry.mark, "there are \(PolicyDocument.classLimit) classes at the most")
      }
      document.classes[name] = policyClass(name, entry)
      document.classNames.append(name)
    }
  }

  private mutating func policyClass(_ name: String, _ entry: YAMLEntry) -> PolicyClass {
    var found = PolicyClass(name: name, place: place(entry.mark))
    // A class that sets nothing is there to be named.
    guard !entry.value.isNull, let entries = mapping(entry.value, "a class") else { return found }
    let path = "classes.\(name)"
    found.settings = settings(entries, path: path, what: "a class", others: Self.keys)
    for entry in entries {
      switch entry.key {
      case "extends":
        if let parent = word(entry.value, "extends", "the name of a class") {
          found.parent = (parent, place(entry.value.mark))
        }
      case "phases":
        found.phasesPlace = place(entry.mark)
        found.phases = phases(entry.value, path: path)
      case "adapt":
        fail(entry.mark, "adapt is not built: no knob changes by itself for what is measured; take it out")
      default: break
      }
    }
    return found
  }

  private mutating func phases(_ node: YAMLNode, path: String) -> [ClassPhase]? {
    guard let nodes = list(node, "phases") else { return nil }
    var found: [ClassPhase] = []
    for (number, node) in nodes.enumerated() {
      guard let entries = mapping(node, "a phase") else { continue }
      var end: PhaseEnd?
      var endPlace: PolicyPlace?
      var settings: [KnobSetting] = []
      for entry in entries {
        switch entry.key {
        case "until":
          endPlace = place(entry.value.mark)
          end = until(entry.value, phase: number, after: found.compactMap(\.end))
        case "set":
          guard let inner = mapping(entry.value, "set") else { continue }
          settings = self.settings(inner, path: "\(path).phases[\(number + 1)]", what: "a phase's set")
          for setting in settings where setting.slot.knob == .rate && setting.slot.part != .receive {
            fail(entry.mark, "rate is the VM's, all of its connections together: a phase can't set it")
          }
        default: unknown(entry, "a phase", ["until", "set"])
        }
      }
      if endPlace == nil, number < nodes.count - 1 {
        fail(
          node.mark,
          "a phase that another one follows says until when: until: { bytes: 1MiB }, { time: 5s } or established")
      }
      found.append(ClassPhase(end: end, endPlace: endPlace, settings: settings, place: place(node.mark)))
    }
    // Behind the last that ends comes the class itself.
    let count = found.count + (found.last?.end == nil ? 0 : 1)
    if count > PolicyPhases.limit {
      fail(node.mark, "there are \(count) phases, with what follows the last, and may be \(PolicyPhases.limit)")
    }
    return found
  }

  /// Nil, and that is told, if it says nothing.
  private mutating func until(_ node: YAMLNode, phase: Int, after before: [PhaseEnd]) -> PhaseEnd? {
    if node.text == "established" {
      if phase > 0 { fail(node.mark, "only the first phase can end with the handshake") }
      return .established
    }
    guard let entries = node.entries, let entry = entries.first, entries.count == 1 else {
      let meant = node.text.map { Suggestion.meant($0, ["established"]) } ?? ""
      fail(node.mark, "until is { bytes: 1MiB }, { time: 5s } or established\(meant)")
      return nil
    }
    guard let text = entry.value.text else {
      fail(entry.value.mark, "\(Suggestion.quoted(entry.key)) has a value, not \(entry.value.kind)")
      return nil
    }
    switch entry.key {
    case "bytes":
      guard let octets = NumberText.amount(text, NumberText.sizeUnits), (1...1 << 31).contains(octets) else {
        fail(entry.value.mark, "bytes is 1 to 2GiB in octets, KiB, MiB or GiB, not \(Suggestion.quoted(text))")
        return nil
      }
      let latest = before.compactMap { if case .octets(let octets) = $0 { Int(octets) } else { nil } }.max() ?? 0
      if octets <= latest { fail(entry.value.mark, Self.order) }
      return .octets(UInt32(clamping: octets))
    case "time":
      guard let time = NumberText.amount(text, NumberText.timeUnits), (1_000...86_400_000_000_000).contains(time) else {
        fail(entry.value.mark, "time is 1us to 86400s in us, ms or s, not \(Suggestion.quoted(text))")
        return nil
      }
      let latest = before.compactMap { if case .time(let time) = $0 { Int(time.nanoseconds) } else { nil } }.max() ?? 0
      if time <= latest { fail(entry.value.mark, Self.order) }
      return .time(.nanoseconds(Int64(time)))
    default:
      unknown(entry, "until", ["bytes", "time"])
      return nil
    }
  }

  private static let order =
    "a phase ends later than those before it: until counts from the beginning of the connection"
}
