// SPDX-License-Identifier: Apache-2.0

public import TCPPolicy

extension PolicyDocument {
  /// Why a connection of a NIC is treated as it is: the datapath's classifier decides, on the text that the NIC would get.
  public func explain(
    for facts: NICFacts, overrides: [PolicyOverride] = [], flow: ConnectionFacts
  ) -> PolicyExplanation {
    compile(for: facts, overrides: overrides).explain(facts, flow)
  }
}

extension CompiledPolicy {
  /// The classifier of the text; nil: there are mistakes.
  var classifier: Classifier? {
    guard mistakes.isEmpty else { return nil }
    return try? Classifier(parsing: text, fallback: FlowConfiguration())
  }

  /// What the classifier says of a connection.
  func outcome(_ classifier: Classifier, _ flow: ConnectionFacts) -> CompiledOutcome {
    let found = classifier.classify(flow)
    let number = found.rule == Classification.noRule ? fallbackOutcome : ruleOutcomes[Int(found.rule)]
    return outcomes[number]
  }

  func explain(_ facts: NICFacts, _ flow: ConnectionFacts) -> PolicyExplanation {
    let flowText = "\(FlowDescription(flow))"
    guard let classifier else {
      return PolicyExplanation(
        flow: flowText, rule: nil, rulePlace: nil, matched: [], classes: [], vmClasses: [], phases: [], others: [],
        mistakes: mistakes)
    }
    let outcome = outcome(classifier, flow)
    let rule = outcome.rule.map { document.rules[$0] }
    var phases: [PolicyExplanation.Phase] = []
    var before: Set<EffectiveKnob> = []
    for phase in outcome.phases {
      let knobs = phase.values.effective
      phases.append(
        PolicyExplanation.Phase(until: phase.end.map(FlatText.end), knobs: knobs.filter { !before.contains($0) }))
      before = Set(knobs)
    }
    var matched = rule?.conditions.map { "\($0.field.rawValue)=\($0.text)" } ?? []
    if outcome.isInside, case .inside(let name, _) = document.limits.deviations {
      matched.append("both ends in $\(name)")
    }
    return PolicyExplanation(
      flow: flowText, rule: rule?.label, rulePlace: rule?.place, matched: matched,
      classes: outcome.className.map { document.chain($0).map(\.name) } ?? [], vmClasses: vmClasses, phases: phases,
      others: others(than: outcome.rule, facts, flow), mistakes: [])
  }

  private func others(
    than taken: Int?, _ facts: NICFacts, _ flow: ConnectionFacts
  ) -> [PolicyExplanation.Other] {
    document.rules.enumerated().compactMap { number, rule in
      guard number != taken else { return nil }
      let failed = rule.conditions.first { !$0.holds(facts, flow) }
      let reason = failed?.reason(facts, flow) ?? "it comes later"
      return PolicyExplanation.Other(rule: rule.label, place: rule.place, reason: reason)
    }
  }
}
