// SPDX-License-Identifier: Apache-2.0

/// How fast to send, and how much may be in flight: draft-ietf-ccwg-bbr-06, section 5.6.
extension BBR3 {
  /// SetPacingRateWithGain: not slower before the path was full once.
  mutating func pace(gain: Float) {
    let rate = rate * gain * Self.margin
    if flags.contains(.fullRateReached) ? rate > 0 : rate > pacingRate { pacingRate = rate }
  }

  /// InitPacingRate.
  mutating func pace(byWindow path: BBRPath) {
    let micros = roundTrip == .max ? Self.unknownRoundTrip : roundTrip
    pacingRate = Self.startupGain * Float(path.window) / (Float(micros) / 1e6)
  }

  /// C.send_quantum: what may leave in one piece, a millisecond's worth.
  private func quantum(_ path: BBRPath) -> Int {
    max(min(Self.octets(pacingRate / 1000), Self.largestQuantum), 2 * path.segmentSize)
  }

  private func least(_ path: BBRPath) -> Int { Self.leastSegments * path.segmentSize }

  /// QuantizationBudget: what is made ready at both ends at once has room.
  func allowed(_ path: BBRPath, _ inFlight: Int) -> Int {
    max(inFlight, 3 * quantum(path), least(path)) + (state == .up ? 2 * path.segmentSize : 0)
  }

  /// ProbeRTTCwnd.
  func shortWindow(_ path: BBRPath) -> Int { max(pipe(path, rate: rate, gain: Self.shortGain), least(path)) }

  /// InflightWithHeadroom.
  func longTermWithHeadroom(_ path: BBRPath) -> Int {
    guard longTermInFlight != Self.unbounded else { return .max }
    let bound = Int(longTermInFlight)
    return max(bound - max(path.segmentSize, bound * Self.headroomPercent / 100), least(path))
  }

  /// SetCwnd.
  func window(_ sample: RateSample, _ path: BBRPath) -> Int {
    let arrived = Self.bounded(sample.newlyDelivered)
    let most = allowed(path, pipe(path, rate: rate, gain: currentWindowGain) + Self.octets(extra.value))
    var window = path.window
    if flags.contains(.fullRateReached) {
      window = min(window + arrived, most)
    } else if window < most || total < path.initialWindow {
      window += arrived
    }
    // After a timeout not before something has arrived.
    if arrived > 0 { window = max(window, least(path)) }
    if state == .probeRoundTrip { window = min(window, shortWindow(path)) }
    return min(window, bound(path))
  }

  /// BoundCwndForModel.
  private func bound(_ path: BBRPath) -> Int {
    let bound =
      switch state {
      case .startup, .drain: Int.max
      case .down, .refill, .up: longTermInFlight == Self.unbounded ? .max : Int(longTermInFlight)
      case .cruise, .probeRoundTrip: longTermWithHeadroom(path)
      }
    return max(min(bound, shortTermInFlight == Self.unbounded ? .max : Int(shortTermInFlight)), least(path))
  }
}
