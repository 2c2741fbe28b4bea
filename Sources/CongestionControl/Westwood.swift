// SPDX-License-Identifier: Apache-2.0

internal import Timekeeping

/// Westwood+ (Grieco and Mascolo, "Performance evaluation and comparison of Westwood+, New Reno, and Vegas TCP congestion control", 2004): grows
/// as Reno does, and after a loss has as much in flight as the path has carried in its shortest round trip. A loss that was no congestion then
/// costs little. At the end of the recovery it is looked at again: what the recovery has delivered may show that the path carries more.
///
/// The rate is what arrived in a round trip, 50 ms at the least, filtered twice by 7/8 as Linux does. Single precision, and only operations whose
/// results IEEE 754 fixes.
struct Westwood: BitwiseCopyable {
  private static let leastSpan = Interval.milliseconds(50)

  /// Octets a second, filtered once and twice; 0: not measured yet.
  private var rateOnce: Float = 0
  private var rate: Float = 0
  private var spanBegan = Instant(nanoseconds: 0)
  private var spanOctets: UInt32 = 0
  /// Microseconds; 0: none measured. The sign of a span that has begun.
  private var leastRoundTrip: UInt32 = 0
  private var hasSpan = false

  /// Something arrived: in slow start and in recoveries as well, of which the path carries as much.
  mutating func delivered(_ delivery: Delivery) {
    if let sample = delivery.sample, sample.nanoseconds > 0 {
      let micros = UInt32(clamping: max(sample.nanoseconds / 1000, 1))
      leastRoundTrip = leastRoundTrip == 0 ? micros : min(leastRoundTrip, micros)
    }
    let now = delivery.now
    guard hasSpan else {
      hasSpan = true
      spanBegan = now
      spanOctets = 0
      return
    }
    spanOctets = UInt32(clamping: Int(spanOctets) + delivery.bytes)
    let span = now - spanBegan
    // A clock that went back begins anew.
    guard span.nanoseconds >= 0 else {
      hasSpan = false
      return
    }
    guard span > max(delivery.roundTrip, Self.leastSpan) else { return }
    let measured = Float(spanOctets) / (Float(span.nanoseconds) / 1e9)
    let isFirst = rate == 0
    rateOnce = isFirst ? measured : (7 * rateOnce + measured) / 8
    rate = isFirst ? measured : (7 * rate + rateOnce) / 8
    spanBegan = now
    spanOctets = 0
  }

  /// What the path carries in its shortest round trip, octets; nil: not known yet.
  var pipe: Int? {
    guard rate > 0, leastRoundTrip > 0 else { return nil }
    let octets = rate * (Float(leastRoundTrip) / 1e6)
    return octets < 0x1p30 ? Int(octets) : 1 << 30
  }
}
