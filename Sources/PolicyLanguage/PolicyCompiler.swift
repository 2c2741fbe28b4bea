// SPDX-License-Identifier: Apache-2.0

import TCPPolicy

/// Makes the flat policy of one NIC. What is said of VMs is evaluated; a rule becomes as many flat rules as its values have combinations
/// (`FlatMatches`); classes are merged knob by knob (`PolicyCompiler+Layers.swift`), and equal configurations stand once.
struct PolicyCompiler {
  let document: PolicyDocument
  let facts: NICFacts
  /// What overrides set, with their identifiers.
  var overrides: [(id: String, setting: KnobSetting)] = []
  private(set) var mistakes: [PolicyMistake] = []
  private(set) var warnings: [PolicyMistake] = []

  private var outcomes: [CompiledOutcome] = []
  private var configurationLines: [String] = []
  private var configurationNames: [String: String] = [:]
  private var phaseLines: [String] = []
  private var phaseNames: [String: String] = [:]
  private var phaseCount = 0
  private var ruleLines: [String] = []
  private var ruleOutcomes: [Int] = []
  /// The rule that most flat rules are of.
  private var longest: (place: PolicyPlace, label: String, count: Int)?
  private var ruleCount = 0

  init(_ document: PolicyDocument, _ facts: NICFacts) {
    self.document = document
    self.facts = facts
  }

  mutating func compile(_ overrides: [PolicyOverride]) -> CompiledPolicy {
    readOverrides(overrides)
    let vm = treatmentOfVM()
    let fallback = phases(vm, nil)
    let defaults = FlatText.pairs(conforming(fallback[0].values, nil) ?? fallback[0].values)
    for number in document.rules.indices { compileRule(number, vm, defaults) }
    let fallbackOutcome = compileFallback(vm, fallback, defaults)
    checkCounts()
    var text = header
    text += line("default", defaults)
    text += (configurationLines + phaseLines + ruleLines).joined()
    text += shape(fallback[0].values)
    text += document.limits.flows.map { "limit flows=\($0)\n" } ?? ""
    checkText(text)
    return CompiledPolicy(
      text: mistakes.isEmpty ? text : "", mistakes: mistakes, warnings: warnings, document: document,
      outcomes: outcomes, ruleOutcomes: ruleOutcomes, fallbackOutcome: fallbackOutcome, vmClasses: vm.classes)
  }

  // Mistakes.

  mutating func fail(_ place: PolicyPlace?, _ sentence: String) {
    let mistake = PolicyMistake(place, sentence)
    if mistakes.count < PolicyMistake.most, !mistakes.contains(mistake) { mistakes.append(mistake) }
  }

  mutating func warn(_ place: PolicyPlace?, _ sentence: String) {
    let warning = PolicyMistake(place, sentence, isWarning: true)
    if warnings.count < PolicyMistake.most, !warnings.contains(warning) { warnings.append(warning) }
  }

  // Rules.

  private mutating func compileRule(_ number: Int, _ vm: Treatment, _ defaults: [(key: String, value: String)]) {
    let rule = document.rules[number]
    guard rule.conditions.allSatisfy({ $0.isOf(facts) }) else { return }
    let treatment = treatment(rule, vm)
    let all = phases(treatment, rule.label)
    let before = ruleCount
    if let within = inside(all) {
      add(number, treatment, all, FlatMatches(rule.conditions, inside: within), isInside: true, defaults)
    }
    let kept = all.map { CompiledOutcome.Phase(end: $0.end, values: conforming($0.values, rule.label) ?? $0.values) }
    add(number, treatment, kept, FlatMatches(rule.conditions), isInside: false, defaults)
    if ruleCount - before > longest?.count ?? 0 { longest = (rule.place, rule.label, ruleCount - before) }
  }

  /// What is left: rules only if `default` can't say it.
  private mutating func compileFallback(
    _ vm: Treatment, _ all: [CompiledOutcome.Phase], _ defaults: [(key: String, value: String)]
  ) -> Int {
    if let within = inside(all) { add(nil, vm, all, FlatMatches([], inside: within), isInside: true, defaults) }
    let kept = all.map { CompiledOutcome.Phase(end: $0.end, values: conforming($0.values, nil) ?? $0.values) }
    guard kept.count == 1 else {
      add(nil, vm, kept, FlatMatches([]), isInside: false, defaults)
      return outcomes.count - 1
    }
    outcomes.append(CompiledOutcome(rule: nil, className: vm.className, phases: kept, isInside: false))
    return outcomes.count - 1
  }

  /// The flat rules of an outcome.
  private mutating func add(
    _ rule: Int?, _ treatment: Treatment, _ phases: [CompiledOutcome.Phase], _ flat: FlatMatches, isInside: Bool,
    _ defaults: [(key: String, value: String)]
  ) {
    let count = flat.count
    guard count > 0 else { return }
    let sum = ruleCount.addingReportingOverflow(count)
    ruleCount = sum.overflow ? .max : sum.partialValue
    let outcome = CompiledOutcome(rule: rule, className: treatment.className, phases: phases, isInside: isInside)
    outcomes.append(outcome)
    // Too many are told of at the end.
    guard ruleCount <= Classifier.ruleLimit, let matches = flat.matches(limit: Classifier.ruleLimit) else { return }
    let name = phasesName(phases, defaults)
    let flowClass = treatment.className.map { " class=\($0)" } ?? ""
    for match in matches {
      ruleLines.append("rule\(FlatText.match(match)) configuration=\(name)\(flowClass)\n")
      ruleOutcomes.append(outcomes.count - 1)
    }
  }

  // Configurations and phases.

  /// The name of a configuration or of phases with these values, which is written if there is none.
  private mutating func phasesName(
    _ phases: [CompiledOutcome.Phase], _ defaults: [(key: String, value: String)]
  ) -> String {
    let parts = phases.map { phase in
      (name: configurationName(phase.values, defaults), end: phase.end.map { " until=\(FlatText.end($0))" } ?? "")
    }
    guard parts.count > 1 else { return parts.first?.name ?? "default" }
    let text = parts.map { " \($0.name)\($0.end)" }.joined()
    if let known = phaseNames[text] { return known }
    let name = "p\(phaseNames.count + 1)"
    phaseNames[text] = name
    phaseLines.append("phases \(name)\(text)\n")
    phaseCount += parts.count
    return name
  }

  private mutating func configurationName(_ values: KnobValues, _ defaults: [(key: String, value: String)]) -> String {
    let pairs = zip(FlatText.pairs(values), defaults).filter { $0.value != $1.value }.map(\.0)
    if pairs.isEmpty { return "default" }
    let text = line("", Array(pairs))
    if let known = configurationNames[text] { return known }
    let name = "c\(configurationNames.count + 1)"
    configurationNames[text] = name
    configurationLines.append("configuration \(name)\(text)")
    return name
  }

  private func line(_ first: String, _ pairs: [(key: String, value: String)]) -> String {
    first + pairs.map { " \($0.key)=\($0.value)" }.joined() + "\n"
  }

  private func shape(_ values: KnobValues) -> String {
    let rates = [KnobPart.transmit, .receive].map { Knob.rate.flat(values[.rate, $0], $0) }
    return rates == ["none", "none"] ? "" : "shape transmitRate=\(rates[0]) receiveRate=\(rates[1])\n"
  }

  /// What it is a policy of, for who finds it in a NIC.
  private var header: String {
    let name = document.name.map { " \($0)" } ?? ""
    let revision = document.revision.map { ", revision \($0)" } ?? ""
    let nic = [facts.vm, facts.mac].compactMap { $0 }.joined(separator: " ")
    let text = "# policy\(name)\(revision), for \(nic)".utf8.prefix(400)
    return String(decoding: text.map { (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self) + "\n"
  }

  // Limits of what a NIC takes.

  private mutating func checkCounts() {
    if ruleCount > Classifier.ruleLimit {
      let most = longest.map { "; \(Suggestion.quoted($0.label)) is \($0.count) of them" } ?? ""
      fail(
        longest?.place ?? document.fallback?.place,
        "the rules of this policy are \(ruleCount) rules of this NIC, one for each combination of their values, and there may be \(Classifier.ruleLimit)\(most)"
      )
    }
    // Beside `default` and the presets.
    let room = Classifier.configurationLimit - 3
    let count = configurationNames.count + phaseCount
    if count > room {
      fail(document.rules.first?.place, "this NIC would have \(count) configurations and phases, and may have \(room)")
    }
    let classes = Set(outcomes.compactMap(\.className)).count
    if classes >= Classifier.classLimit {
      fail(
        document.rules.first?.place, "this NIC would have \(classes) classes, and may have \(Classifier.classLimit - 1)"
      )
    }
  }

  /// What a NIC would say of it. With no mistakes so far there is none here, or it is ours.
  private mutating func checkText(_ text: String) {
    guard mistakes.isEmpty else { return }
    do throws(PolicyTextErrors) {
      _ = try Classifier(parsing: text, fallback: FlowConfiguration())
    } catch {
      for error in error.errors { fail(nil, "the policy that was made of it is wrong, which is our mistake: \(error)") }
    }
  }
}

extension MatchCondition {
  /// Whether it may hold for connections of the NIC.
  func isOf(_ facts: NICFacts) -> Bool {
    guard case .names(let match) = test else { return true }
    return match.matches(facts.names(field))
  }
}
