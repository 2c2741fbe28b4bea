// SPDX-License-Identifier: Apache-2.0

import TCPPolicy

extension PolicyDocument {
  /// What another policy would change for these NICs and their connections. Besides, for each NIC, what no rule is for is compared.
  public func diff(to other: PolicyDocument, over nics: [NICFlows]) -> PolicyDifference {
    var difference = PolicyDifference()
    for entry in nics {
      let before = compile(for: entry.nic, overrides: entry.overrides)
      let after = other.compile(for: entry.nic, overrides: entry.overrides)
      guard let one = before.classifier, let two = after.classifier else {
        difference.mistakes += before.mistakes + after.mistakes
        continue
      }
      let name = [entry.nic.vm, entry.nic.mac].compactMap { $0 }.joined(separator: " ")
      let rests = (before.outcomes[before.fallbackOutcome], after.outcomes[after.fallbackOutcome])
      if let change = Self.change(name, nil, rests.0, rests.1) { difference.add(change) }
      for flow in entry.flows {
        difference.flowCount += 1
        let outcomes = (before.outcome(one, flow), after.outcome(two, flow))
        guard let change = Self.change(name, flow, outcomes.0, outcomes.1) else { continue }
        difference.add(change)
      }
    }
    return difference
  }

  /// Nil: nothing changes.
  private static func change(
    _ nic: String, _ flow: ConnectionFacts?, _ before: CompiledOutcome, _ after: CompiledOutcome
  ) -> FlowChange? {
    var knobs: [String] = []
    for number in 0..<max(before.phases.count, after.phases.count) where knobs.isEmpty {
      let (one, two) = (phase(before, number), phase(after, number))
      for slot in KnobSlot.all {
        let values = (one.values[slot.knob, slot.part], two.values[slot.knob, slot.part])
        guard values.0 != values.1 else { continue }
        knobs.append("\(slot.name): \(slot.knob.shown(values.0)) -> \(slot.knob.shown(values.1))")
      }
      if one.end != two.end {
        let ends = [one, two].map { $0.end.map(FlatText.end) ?? "the end" }
        knobs.append("phase \(number + 1) until \(ends[0]) -> \(ends[1])")
      }
    }
    guard before.className != after.className || !knobs.isEmpty else { return nil }
    let (wasEarly, isEarly) = (before.isEarly, after.isEarly)
    return FlowChange(
      nic: nic, flow: flow.map { "\(FlowDescription($0))" }, classBefore: before.className,
      classAfter: after.className, losesEarly: wasEarly && !isEarly, gainsEarly: isEarly && !wasEarly, knobs: knobs)
  }

  private static func phase(_ outcome: CompiledOutcome, _ number: Int) -> CompiledOutcome.Phase {
    outcome.phases[min(number, outcome.phases.count - 1)]
  }
}

extension CompiledOutcome {
  /// Data are acknowledged early in a phase of the connection's life.
  var isEarly: Bool {
    phases.contains { $0.values[.earlyAck] == .word("on") && $0.values[.bufferWeight] != .number(0) }
  }
}
