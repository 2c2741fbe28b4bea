// SPDX-License-Identifier: Apache-2.0

internal import Timekeeping

/// The shortest round trip, and the state in which it is looked for: draft-ietf-ccwg-bbr-06, section 5.3.4.
extension BBR3 {
  /// UpdateMinRTT.
  mutating func noteRoundTrip(_ sample: RateSample, now: Instant) {
    let isOld = recentRoundTrip != .max && now - recentRoundTripSeen > Self.probeInterval
    if isOld { flags.insert(.roundTripIsOld) } else { flags.remove(.roundTripIsOld) }
    if let measured = sample.roundTrip, measured.nanoseconds >= 0, Self.micros(measured) < recentRoundTrip || isOld {
      recentRoundTrip = Self.micros(measured)
      recentRoundTripSeen = now
    }
    guard recentRoundTrip < roundTrip || now - roundTripSeen > Self.roundTripValidity else { return }
    roundTrip = recentRoundTrip
    roundTripSeen = recentRoundTripSeen
  }

  /// Measured by others.
  mutating func adopt(roundTrip measured: Interval, now: Instant) {
    (roundTrip, roundTripSeen) = (Self.micros(measured), now)
    (recentRoundTrip, recentRoundTripSeen) = (roundTrip, now)
  }

  /// CheckProbeRTT and HandleProbeRTT. Returns the window.
  mutating func probeRoundTrip(_ sample: RateSample, _ path: BBRPath, now: Instant) -> Int {
    if state != .probeRoundTrip, flags.contains(.roundTripIsOld), !flags.contains(.restarts) {
      priorWindow = phase == .open ? UInt32(clamping: path.window) : max(priorWindow, UInt32(clamping: path.window))
      cutProbe(sample)
      state = .probeRoundTrip
      flags.remove(.isShort)
      feedback = .stopping
      beginRound()
    }
    if sample.newlyDelivered > 0 { flags.remove(.restarts) }
    guard state == .probeRoundTrip else { return path.window }
    guard flags.contains(.isShort) else {
      if Self.bounded(sample.inFlight) <= shortWindow(path) {
        stamp = now + Self.probeDuration
        flags.insert(.isShort)
        flags.remove(.roundIsOver)
        beginRound()
      }
      return path.window
    }
    if flags.contains(.beginsRound) { flags.insert(.roundIsOver) }
    return flags.contains(.roundIsOver) ? endProbeRoundTrip(path, now: now) : path.window
  }

  /// A probe for bandwidth of which a round is acknowledged is the end of a cycle, whatever cuts it short: where queues make a cycle last longer than
  /// from one ProbeRTT to the next, a rate that the path does not carry any more would never be forgotten.
  private mutating func cutProbe(_ sample: RateSample) {
    guard state.probesBandwidth, feedback == .probing || feedback == .stopping else { return }
    if !sample.isApplicationLimited { beginRateCycle() }
  }

  /// CheckProbeRTTDone and ExitProbeRTT. Returns the window.
  mutating func endProbeRoundTrip(_ path: BBRPath, now: Instant) -> Int {
    guard flags.contains(.isShort), now > stamp else { return path.window }
    recentRoundTripSeen = now
    forgetShortTerm()
    if flags.contains(.fullRateReached) {
      beginDown(now: now)
      state = .cruise
    } else {
      state = .startup
    }
    return max(path.window, Int(priorWindow))
  }

  private static func micros(_ interval: Interval) -> UInt32 {
    UInt32(clamping: max(min(interval.nanoseconds / 1000, Int64(UInt32.max) - 1), 1))
  }
}
