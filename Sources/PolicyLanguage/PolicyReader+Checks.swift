// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import YAMLDocument

// What can only be said of all texts together.

extension PolicyReader {
  mutating func checkWhole() {
    checkParents()
    checkNames()
    checkValues()
    checkRules()
    // What is wrong may be the reason.
    guard !hasMistakes else { return }
    warnOfRates()
    warnOfUnused()
    warnOfShadows()
    warnOfReceiveKnobs()
  }

  /// That there is such a class.
  private mutating func checkClass(_ name: String, _ place: PolicyPlace) {
    guard document.classes[name] == nil else { return }
    add(
      PolicyMistake(
        place, "there is no class \(Suggestion.quoted(name))\(Suggestion.meant(name, document.classNames))"))
  }

  private mutating func checkNames() {
    for rule in document.rules { checkClass(rule.className, rule.classPlace) }
    for assignment in document.assignments { checkClass(assignment.className, assignment.classPlace) }
    if let fallback = document.fallback { checkClass(fallback.name, fallback.place) }
  }

  /// That there is such a class, and none extends itself. Who does extends nothing from then on.
  private mutating func checkParents() {
    for name in document.classNames {
      guard let parent = document.classes[name]?.parent else { continue }
      checkClass(parent.name, parent.place)
      var way = [name]
      var next: String? = parent.name
      while let now = next, !way.contains(now), way.count <= PolicyDocument.chainLimit {
        way.append(now)
        next = document.classes[now]?.parent?.name
      }
      if next == name {
        let names = (way + [name]).joined(separator: " -> ")
        add(PolicyMistake(parent.place, "the class \(name) extends itself: \(names)"))
        document.classes[name]?.parent = nil
      } else if way.count > PolicyDocument.chainLimit {
        let limit = PolicyDocument.chainLimit
        add(PolicyMistake(parent.place, "classes extend one another \(limit) deep at the most"))
        document.classes[name]?.parent = nil
      }
    }
  }

  /// Values that can't be beside one another, of each class over what is built in.
  private mutating func checkValues() {
    for name in document.classNames {
      guard let own = document.classes[name] else { continue }
      let chain = document.chain(name)
      var values = KnobValues.builtIn
      for part in chain.reversed() { values.apply(part.settings) { KnobOrigin(.ruleClass, $0) } }
      checkValues(values, own.settings)
      for phase in own.phases ?? [] {
        var later = values
        later.apply(phase.settings) { KnobOrigin(.phase(1), $0) }
        checkValues(later, phase.settings)
      }
    }
  }

  /// - Parameter settings: of which one would have to be another.
  private mutating func checkValues(_ values: KnobValues, _ settings: [KnobSetting]) {
    for conflict in values.conflicts {
      guard let setting = settings.last(where: { conflict.knobs.contains($0.slot.knob) }) else { continue }
      add(PolicyMistake(setting.place, conflict.sentence))
    }
  }

  private mutating func checkRules() {
    // Of a class that gives a VM its rate as well the rate is not lost.
    let ofVM = Set(document.classesOfVMs.flatMap { document.chain($0).map(\.name) })
    for rule in document.rules {
      let count = FlatMatches(rule.conditions).count
      if count == 0 {
        add(
          PolicyMistake(
            rule.place,
            "no connection can be one that this rule is for: both ends have IPv4 addresses or both IPv6, and no inner tag is without an outer one"
          ))
      } else if count > Classifier.ruleLimit {
        let many = count == .max ? "far more" : "\(count)"
        add(
          PolicyMistake(
            rule.place,
            "a NIC has \(Classifier.ruleLimit) rules at the most, and this one is \(many), one for each combination of its values"
          ))
      }
      for part in document.chain(rule.className) where !ofVM.contains(part.name) {
        guard let rate = part.settings.first(where: { $0.slot.knob == .rate && $0.value.number != 0 }) else { continue }
        let shownPlace = rate.place.map { ", and \(rate.path) at \($0.line) has one" } ?? ""
        add(
          PolicyMistake(
            rule.classPlace,
            "rate is the VM's, all of its connections together: a rule's class can't have one\(shownPlace)"
          ))
      }
    }
  }

  private mutating func warn(_ place: PolicyPlace, _ sentence: String) {
    add(PolicyMistake(place, sentence, isWarning: true))
  }

  /// A class has a rate for VMs, and stands in a rule.
  private mutating func warnOfRates() {
    for rule in document.rules {
      for part in document.chain(rule.className).prefix(1) {
        guard part.settings.contains(where: { $0.slot.knob == .rate && $0.value.number != 0 }) else { continue }
        warn(
          rule.classPlace,
          "the rate of \(part.name) is for VMs that have the class; to connections of this rule it is nothing")
      }
    }
  }

  private mutating func warnOfUnused() {
    var used = Set(document.rules.map(\.className) + document.classesOfVMs)
    for name in used { used.formUnion(document.chain(name).map(\.name)) }
    let parents = Set(document.classes.values.compactMap { $0.parent?.name })
    for name in document.classNames where !used.contains(name) && !parents.contains(name) {
      guard let found = document.classes[name] else { continue }
      warn(found.place, "the class \(name) is in no rule, assignment or default: only the metadata of a VM can name it")
    }
    for name in setNames where !usedSets.contains(name) {
      guard let found = sets[name] else { continue }
      warn(found.place, "the set \(name) is used nowhere")
    }
  }

  /// Rules that are never reached, since one before them is for all that they are for.
  private mutating func warnOfShadows() {
    var earlier: [(rule: LanguageRule, tests: [MatchField: MatchTest])] = []
    for rule in document.rules {
      let tests = Dictionary(rule.conditions.map { ($0.field, $0.test) }) { first, _ in first }
      let before = earlier.first { other in
        other.tests.allSatisfy { field, test in tests[field].map { test.covers($0) } ?? false }
      }
      if let before {
        warn(
          rule.place,
          "the rule \(Suggestion.quoted(rule.label)) is never reached: \(Suggestion.quoted(before.rule.label)) at \(before.rule.place.line) is for all that it is for"
        )
      }
      earlier.append((rule, tests))
    }
  }

  /// Towards the guest there is congestion control with full recovery only.
  private mutating func warnOfReceiveKnobs() {
    for name in document.classNames {
      let chain = document.chain(name)
      let recovery = chain.lazy.compactMap { $0.settings.last { $0.slot.knob == .receiveRecovery } }.first?.value
      guard recovery != .word("full"), let own = document.classes[name] else { continue }
      for setting in own.settings where setting.slot.knob.parts == .network && setting.path.hasSuffix(".rx") {
        guard let place = setting.place else { continue }
        warn(
          place,
          "\(setting.slot.name) is nothing without receiveRecovery: full: towards the guest there is a timer only")
      }
    }
  }
}

extension PolicyDocument {
  /// Classes that VMs have by what is written here.
  var classesOfVMs: [String] { assignments.map(\.className) + (fallback.map { [$0.name] } ?? []) }
}
