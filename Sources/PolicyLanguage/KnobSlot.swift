// SPDX-License-Identifier: Apache-2.0

/// A knob, or one direction of it.
struct KnobSlot: Hashable, Sendable {
  let knob: Knob
  let part: KnobPart

  /// All that there are, in the order of the table.
  static let all: [KnobSlot] = Knob.allCases.flatMap { knob in knob.slots }

  /// `tx.buffer`, or `leastRoundTrip`.
  var name: String { part == .both ? knob.rawValue : "\(part.rawValue).\(knob.rawValue)" }
}

extension Knob {
  /// What there are values for.
  var slots: [KnobSlot] {
    switch parts {
    case .both: [KnobSlot(knob: self, part: .both)]
    case .each, .network:
      [KnobSlot(knob: self, part: .transmit), KnobSlot(knob: self, part: .receive)]
    }
  }
}
