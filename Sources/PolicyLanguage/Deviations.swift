// SPDX-License-Identifier: Apache-2.0

/// Values beyond what RFCs recommend to all hosts: faster than others on a path that is shared with them.
enum Deviations {
  /// The nearest value that is none, and who says so; nil: it is none.
  static func conforming(_ knob: Knob, _ value: KnobValue) -> (value: KnobValue, source: String)? {
    switch (knob, value) {
    case (.dupAckThreshold, .number(let number)) where number < 3: (.number(3), "RFC 5681")
    case (.initialCongestionWindow, .number(let number)) where number > 10: (.number(10), "RFC 6928")
    case (.additiveIncrease, .number(let number)) where number > 1024: (.number(1024), "RFC 5681")
    // What CUBIC leaves, 0.7.
    case (.multiplicativeDecrease, .number(let number)) where number > 717: (.number(717), "RFC 9438")
    // RFC 6298 would have a second; kernels have this, and so have we.
    case (.minimumTimeout, .number(let number)) where number < 200_000_000: (.number(200_000_000), "RFC 6298")
    case (.maximumTimeout, .number(let number)) where number < 60_000_000_000: (.number(60_000_000_000), "RFC 6298")
    case (.congestionControl, .word("dctcp")): (.word("cubic"), "RFC 8257")
    case (.congestionControl, .word("scalable")), (.congestionControl, .word("highSpeed")): (.word("cubic"), "RFC 9438")
    default: nil
    }
  }

  /// The same without deviations; nil: there are none.
  static func conforming(_ values: KnobValues, limit: String) -> KnobValues? {
    var conforming = values
    var isOther = false
    for slot in KnobSlot.all {
      guard let (value, source) = self.conforming(slot.knob, values[slot.knob, slot.part]) else { continue }
      conforming.clamp(slot, to: value, "\(limit) (\(source))")
      isOther = true
    }
    return isOther ? conforming : nil
  }
}
