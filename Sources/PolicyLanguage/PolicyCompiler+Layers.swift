// SPDX-License-Identifier: Apache-2.0

import TCPPolicy

// What gives a knob its value: built-in, the policy's default, the VM's class, the NIC's class, the rule's class, its phase, overrides; then
// limits.

extension PolicyCompiler {
  /// What a VM's connections have that no rule is for.
  mutating func treatmentOfVM() -> Treatment {
    var treatment = Treatment()
    if let fallback = document.fallback {
      apply(fallback.name, .fallback, to: &treatment, "default", place: fallback.place)
    }
    if let name = facts.vmClass {
      apply(name, .vmClass, to: &treatment, "the metadata of the VM \(facts.vm)")
    } else if let found = document.assignments.first(where: { $0.conditions.allSatisfy { $0.isOf(facts) } }) {
      apply(found.className, .vmClass, to: &treatment, "assign, \(found.place.line)", place: found.classPlace)
    }
    apply(facts.settings.filter { !$0.isOfNIC }, .vmSetting, to: &treatment)
    if let name = facts.portClass {
      apply(name, .nicClass, to: &treatment, "the port")
    } else if let name = facts.nicClass {
      apply(name, .nicClass, to: &treatment, "the metadata of a NIC of \(facts.vm)")
    }
    apply(facts.settings.filter(\.isOfNIC), .nicSetting, to: &treatment)
    applyBandwidth(&treatment)
    return treatment
  }

  /// What connections of a rule have.
  func treatment(_ rule: LanguageRule, _ vm: Treatment) -> Treatment {
    var treatment = rule.replaces ? Treatment() : vm
    let chain = document.chain(rule.className)
    treatment.apply(chain, .ruleClass, phases: document.phases(chain))
    // All connections together have it.
    for slot in Knob.rate.slots { treatment.values.set(slot, vm.values[.rate, slot.part], vm.values.origin(slot)) }
    return treatment
  }

  private mutating func apply(
    _ name: String, _ layer: PolicyLayer, to treatment: inout Treatment, _ source: String, place: PolicyPlace? = nil
  ) {
    let chain = document.chain(name)
    guard !chain.isEmpty else {
      let files = Set(document.classes.values.map(\.place.file)).sorted()
      let shownPlace = files.isEmpty ? "the policy" : Suggestion.list(files)
      return fail(
        place,
        "\(source) names the class \(Suggestion.quoted(name)), which is not in \(shownPlace)\(Suggestion.meant(name, document.classNames))"
      )
    }
    treatment.apply(chain, layer, phases: document.phases(chain))
    treatment.classes.append("\(chain.map(\.name).joined(separator: " -> ")) by \(source)")
  }

  private mutating func apply(_ settings: [PolicySetting], _ layer: PolicyLayer, to treatment: inout Treatment) {
    let who = layer == .nicSetting ? "the metadata of a NIC of \(facts.vm)" : "the metadata of the VM \(facts.vm)"
    for setting in settings {
      guard let found = read(setting.key, setting.value, who) else { continue }
      guard found.allSatisfy({ document.limits.tenantKeys.contains($0.slot.knob) }) else {
        fail(nil, "\(who) sets \(Suggestion.quoted(setting.key)), which is not in limits.tenantKeys")
        continue
      }
      treatment.values.apply(found) { KnobOrigin(layer, $0) }
    }
  }

  mutating func readOverrides(_ given: [PolicyOverride]) {
    for override in given {
      for setting in read(override.key, override.value, "the override \(override.id)") ?? [] {
        overrides.append((override.id, setting))
      }
    }
  }

  /// What somebody sets by a key with dots: `tx.buffer`. Nil, and that is told: it is wrong.
  private mutating func read(_ key: String, _ value: String, _ who: String) -> [KnobSetting]? {
    let part = [KnobPart.transmit, .receive].first { key.hasPrefix("\($0.rawValue).") } ?? .both
    let name = String(part == .both ? key[...] : key.dropFirst(3))
    let knobs = name == "weight" ? Knob.weights : Knob(rawValue: name).map { [$0] } ?? []
    guard !knobs.isEmpty else {
      let meant = Knob.ofFlatKey(name)?.rawValue ?? Suggestion.nearest(name, Knob.allCases.map(\.rawValue) + ["weight"])
      let suggestion = meant.map { " (did you mean \($0)?)" } ?? ""
      fail(nil, "\(who) sets \(Suggestion.quoted(key)), which there is not\(suggestion)")
      return nil
    }
    var settings: [KnobSetting] = []
    for knob in knobs {
      guard part == .both || knob.parts != .both else {
        fail(nil, "\(who) sets \(Suggestion.quoted(key)): \(name) is for both directions")
        return nil
      }
      switch KnobReading(knob, value) {
      case .value(.number(0)) where name == "weight":
        fail(nil, "\(who): weight is 1 to 255, not '0'")
        return nil
      case .value(let value):
        let slots = part == .both ? knob.slots : [KnobSlot(knob: knob, part: part)]
        settings += slots.map { KnobSetting(slot: $0, value: value, place: nil, path: "") }
      case .mistake(let sentence):
        fail(nil, "\(who): \(sentence)")
        return nil
      }
    }
    return settings
  }

  private mutating func applyBandwidth(_ treatment: inout Treatment) {
    let averages = [(KnobPart.transmit, facts.bandwidth.outboundAverage), (.receive, facts.bandwidth.inboundAverage)]
    for (part, average) in averages where average > 0 {
      let bits = average.multipliedReportingOverflow(by: 8_000)
      let asked = bits.overflow ? .max : bits.partialValue
      let rate = min(max(asked, Shaping.allowed.lowerBound), Shaping.allowed.upperBound)
      if rate != asked {
        warn(nil, "<bandwidth> of \(facts.vm): an average of \(average) becomes \(Knob.rate.shown(.number(rate)))")
      }
      treatment.values.set(KnobSlot(knob: .rate, part: part), .number(rate), KnobOrigin(.bandwidth))
    }
    if facts.bandwidth.hasPeaks {
      warn(nil, "<bandwidth> of \(facts.vm): peak and burst are not kept, the average counts")
    }
  }

  /// The phases of a treatment with all that comes above it.
  ///
  /// - Parameter label: of the rule, for mistakes.
  mutating func phases(_ treatment: Treatment, _ label: String?) -> [CompiledOutcome.Phase] {
    var found: [CompiledOutcome.Phase] = []
    for (number, phase) in treatment.phases.enumerated() {
      var values = treatment.values
      values.apply(phase.settings) { KnobOrigin(.phase(number + 1), $0) }
      found.append(CompiledOutcome.Phase(end: phase.end, values: finished(values, label)))
    }
    // Behind the last that ends comes the class itself.
    if found.last?.end != nil || found.isEmpty {
      found.append(CompiledOutcome.Phase(end: nil, values: finished(treatment.values, label)))
    }
    return found
  }

  private mutating func finished(_ given: KnobValues, _ label: String?) -> KnobValues {
    var values = given
    for override in overrides { values.apply([override.setting]) { KnobOrigin(.override(override.id), $0) } }
    if let limit = document.limits.buffer { clamp(&values, .buffer, limit.octets, limit.place) }
    if let limit = document.limits.rate { clamp(&values, .rate, limit.bits, limit.place) }
    for conflict in values.conflicts {
      let place = conflict.knobs.flatMap(\.slots).lazy.compactMap { values.origin($0).place }.first
      let rule = label.map { "the rule \(Suggestion.quoted($0)): " } ?? ""
      fail(place, "\(rule)\(conflict.sentence)")
    }
    return values
  }

  private mutating func clamp(_ values: inout KnobValues, _ knob: Knob, _ limit: Int, _ place: PolicyPlace) {
    for slot in knob.slots {
      guard let number = values[knob, slot.part].number else { continue }
      // A rate of 0 is none.
      let isUnlimited = knob == .rate && number == 0
      guard number > limit || isUnlimited else { continue }
      let name = "limits.perVM.\(knob.rawValue)"
      let origin = values.origin(slot)
      values.clamp(slot, to: .number(limit), "\(name) (\(place.line))")
      guard origin.layer != .builtIn, !isUnlimited else { continue }
      let value = knob.shown(.number(number))
      warn(origin.place ?? place, "\(slot.name) is \(value), and \(name) makes \(knob.shown(.number(limit))) of it")
    }
  }

  /// Where values that deviate may be; nil: there are none, or everywhere, or nowhere.
  func inside(_ phases: [CompiledOutcome.Phase]) -> [AddressBlock]? {
    guard case .inside(_, let blocks) = document.limits.deviations else { return nil }
    return phases.contains { Deviations.conforming($0.values, limit: "") != nil } ? blocks : nil
  }

  /// The values where those that deviate may not be; nil: the same.
  mutating func conforming(_ values: KnobValues, _ label: String?) -> KnobValues? {
    switch document.limits.deviations {
    case .everywhere: return nil
    case .inside(let name, _): return Deviations.conforming(values, limit: "limits.deviations, outside of $\(name)")
    case .nowhere:
      guard let kept = Deviations.conforming(values, limit: "limits.deviations") else { return nil }
      let rule = label.map { "the rule \(Suggestion.quoted($0))" } ?? "what no rule is for"
      for slot in KnobSlot.all where kept[slot.knob, slot.part] != values[slot.knob, slot.part] {
        let (given, now) = (slot.knob.shown(values[slot.knob, slot.part]), slot.knob.shown(kept[slot.knob, slot.part]))
        warn(values.origin(slot).place, "\(rule): \(slot.name) is \(given), and limits.deviations makes \(now) of it")
      }
      return kept
    }
  }
}
