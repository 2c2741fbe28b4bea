// SPDX-License-Identifier: Apache-2.0

internal import Timekeeping

/// CUBIC (RFC 9438): after a reduction the window rises in a cubic curve of time, flat around the size at which the last loss
/// was.
///
/// The curve is calculated in `Double`, in segments and seconds as the RFC writes it: cubes of nanoseconds fit in no integer
/// at hand. Only the operations whose results IEEE 754 fixes to the last bit are used (and a cube root made of them), so
/// that the same events give the same windows everywhere. What is kept is integer.
struct Cubic: BitwiseCopyable {
  /// Segments per cubed second: section 5.
  private static let constant = 0.4
  private static let microsecondsPerSecond = 1e6

  /// When the current stage of congestion avoidance began.
  private var epoch = Instant(nanoseconds: 0)
  /// K: the time from `epoch` to the plateau, in microseconds. Negative: the plateau lies behind.
  private var timeToPeak: Int32 = 0
  /// W_max in bytes; 0: there was no loss yet (section 4.10), or a timeout (section 4.8).
  private var peak: UInt32 = 0
  /// cwnd_prior: the window before the last reduction, in bytes.
  private var prior: UInt32 = 0
  /// W_est in bytes: the window that Reno would have; 0: not begun.
  private var estimate: UInt32 = 0
  /// What of `estimate` and of the window is less than a byte, in 1/65536.
  private var estimateFraction: UInt16 = 0
  private var windowFraction: UInt16 = 0
  /// Whether `epoch` and `timeToPeak` are set.
  private var isUnderWay = false

  /// The window after an acknowledgment: sections 4.2 to 4.5.
  mutating func grown(_ acknowledgment: Acknowledgment, now: Instant) -> Int {
    let segment = Double(acknowledgment.segmentSize)
    let window = Double(acknowledgment.window) / segment
    if !isUnderWay { begin(window: acknowledgment.window, segmentSize: segment, now: now) }
    let acknowledged = Double(acknowledgment.bytes) / segment
    let estimated = grownEstimate(acknowledgment, window: window, acknowledged: acknowledged) / segment

    let elapsed = max(Double((now - epoch).nanoseconds), 0) / 1e9
    let roundTrip = max(Double(acknowledgment.roundTrip.nanoseconds), 0) / 1e9
    if curve(at: elapsed, segmentSize: segment) < estimated {
      windowFraction = 0
      return max(Int(estimate), acknowledgment.window)
    }
    let target = curve(at: elapsed + roundTrip, segmentSize: segment)
    let bounded = min(max(target, window), 1.5 * window)
    let increase = (bounded - window) * acknowledged / window * scale(acknowledgment)
    let bytes = increase * segment + Double(windowFraction) / 65536
    let whole = Self.integer(bytes)
    windowFraction = UInt16(truncatingIfNeeded: Self.integer((bytes - Double(whole)) * 65536))
    return acknowledgment.window + Int(whole)
  }

  /// The window is about to be reduced because of congestion: sections 4.6 and 4.7.
  mutating func reduced(window: Int, segmentSize: Int, keepFactor: Int) {
    prior = UInt32(truncatingIfNeeded: window)
    // Fast convergence: who lost before he was where he had been gives way to newcomers. In whole segments: around the plateau, where a window
    // is for long, it is a fraction of one that decides otherwise.
    let isLess = window / segmentSize < Int(peak) / segmentSize
    peak = isLess ? UInt32(truncatingIfNeeded: window * (1024 + keepFactor) / 2048) : prior
    restart()
  }

  /// A timeout: section 4.8.
  mutating func timedOut(window: Int) {
    prior = UInt32(truncatingIfNeeded: window)
    peak = 0
    restart()
  }

  /// The sender had nothing to send: time that passes does not count (section 5.8). When it has again, the curve goes on
  /// from the window that there is.
  mutating func paused() {
    isUnderWay = false
  }

  private mutating func restart() {
    isUnderWay = false
    estimate = 0
    estimateFraction = 0
    windowFraction = 0
  }

  /// A stage of congestion avoidance begins, or goes on after a pause: K = cbrt((W_max - cwnd_epoch) / C).
  private mutating func begin(window: Int, segmentSize: Double, now: Instant) {
    isUnderWay = true
    epoch = now
    if peak == 0 { peak = UInt32(truncatingIfNeeded: window) }
    if estimate == 0 { estimate = UInt32(truncatingIfNeeded: window) }
    let distance = (Double(peak) - Double(window)) / segmentSize
    let seconds = Self.cubeRoot(distance.magnitude / Self.constant)
    let microseconds = Int32(truncatingIfNeeded: Self.integer(min(seconds * Self.microsecondsPerSecond, 2e9)))
    timeToPeak = distance < 0 ? -microseconds : microseconds
  }

  /// W_cubic(t) in segments: C * (t - K)^3 + W_max.
  private func curve(at seconds: Double, segmentSize: Double) -> Double {
    let distance = seconds - Double(timeToPeak) / Self.microsecondsPerSecond
    return Self.constant * distance * distance * distance + Double(peak) / segmentSize
  }

  /// W_est in bytes after an acknowledgment: section 4.3.
  private mutating func grownEstimate(_ acknowledgment: Acknowledgment, window: Double, acknowledged: Double) -> Double
  {
    let keep = Double(acknowledgment.keepFactor) / 1024
    let alpha = estimate >= prior ? 1 : 3 * (1 - keep) / (1 + keep)
    let increase = alpha * acknowledged / window * Double(acknowledgment.segmentSize) * scale(acknowledgment)
    let bytes = Double(estimate) + Double(estimateFraction) / 65536 + increase
    estimate = Self.integer(bytes)
    estimateFraction = UInt16(truncatingIfNeeded: Self.integer((bytes - Double(estimate)) * 65536))
    return bytes
  }

  private func scale(_ acknowledgment: Acknowledgment) -> Double { Double(acknowledgment.additiveIncrease) / 1024 }

  /// The integer part, between 0 and 2^31.
  private static func integer(_ number: Double) -> UInt32 {
    guard number > 0 else { return 0 }
    guard number < 0x1p31 else { return 1 << 31 }
    return UInt32(number)
  }

  /// By Newton's method from above: the first guess is at most twice the root, and each step about squares the error.
  static func cubeRoot(_ number: Double) -> Double {
    guard number > 0, number.isFinite else { return 0 }
    let third = Int((Double(number.exponent) / 3).rounded(.down))
    var root = Double(sign: .plus, exponent: third + 1, significand: 1)
    for _ in 0..<7 { root = (2 * root + number / (root * root)) / 3 }
    return root
  }
}
