// SPDX-License-Identifier: Apache-2.0

/// A value for each knob and direction, and where each comes from.
struct KnobValues: Sendable {
  private(set) var values: [KnobValue]
  private(set) var origins: [KnobOrigin]

  private static let places = Dictionary(uniqueKeysWithValues: KnobSlot.all.enumerated().map { ($1, $0) })

  static let builtIn = KnobValues()

  private init() {
    values = KnobSlot.all.map(\.knob.builtIn)
    origins = KnobSlot.all.map { _ in KnobOrigin(.builtIn) }
  }

  private static func place(_ slot: KnobSlot) -> Int { places[slot] ?? 0 }

  /// - Parameter part: of knobs without directions it is nothing.
  subscript(knob: Knob, part: KnobPart = .transmit) -> KnobValue {
    values[Self.place(KnobSlot(knob: knob, part: knob.parts == .both ? .both : part))]
  }

  func origin(_ slot: KnobSlot) -> KnobOrigin { origins[Self.place(slot)] }

  mutating func apply(_ settings: [KnobSetting], _ origin: (KnobSetting) -> KnobOrigin) {
    for setting in settings { set(setting.slot, setting.value, origin(setting)) }
  }

  mutating func set(_ slot: KnobSlot, _ value: KnobValue, _ origin: KnobOrigin) {
    let place = Self.place(slot)
    values[place] = value
    origins[place] = origin
  }

  /// Another value, since a limit wants it.
  mutating func clamp(_ slot: KnobSlot, to value: KnobValue, _ limit: String) {
    let place = Self.place(slot)
    origins[place].clamp = "\(slot.knob.shown(values[place])) without \(limit)"
    values[place] = value
  }

  /// Values that can't be beside one another, and of which knobs.
  var conflicts: [(knobs: [Knob], sentence: String)] {
    var found: [(knobs: [Knob], sentence: String)] = []
    if let shortest = self[.minimumTimeout].number, let longest = self[.maximumTimeout].number, shortest > longest {
      let (least, most) = (Knob.minimumTimeout.shown(.number(shortest)), Knob.maximumTimeout.shown(.number(longest)))
      found.append(
        (
          [.minimumTimeout, .maximumTimeout], "minimumTimeout is \(least), and maximumTimeout \(most), which is less"
        ))
    }
    guard self[.receiveRecovery] == .word("full") else { return found }
    for knob in Knob.allCases where knob.parts == .network && self[knob, .transmit] != self[knob, .receive] {
      let (transmit, receive) = (knob.shown(self[knob, .transmit]), knob.shown(self[knob, .receive]))
      let name = knob.rawValue
      found.append(
        (
          [knob, .receiveRecovery],
          "tx.\(name) is \(transmit), and rx.\(name) \(receive): with receiveRecovery: full both have one value"
        ))
    }
    return found
  }

  /// What it says, for people. Directions that are the same are one.
  var effective: [EffectiveKnob] {
    Knob.allCases.flatMap { knob -> [EffectiveKnob] in
      let slots = knob.slots
      let knobs = slots.map { slot in
        EffectiveKnob(
          name: slot.name, knob: knob, value: knob.shown(self[knob, slot.part]), origin: origin(slot))
      }
      guard knobs.count == 2, knobs[0].value == knobs[1].value, knobs[0].origin == knobs[1].origin else { return knobs }
      return [EffectiveKnob(name: knob.rawValue, knob: knob, value: knobs[0].value, origin: knobs[0].origin)]
    }
  }
}
