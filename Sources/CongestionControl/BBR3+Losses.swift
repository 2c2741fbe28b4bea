// SPDX-License-Identifier: Apache-2.0

internal import Timekeeping

/// What losses and marks show of the path: draft-ietf-ccwg-bbr-06, sections 5.5.10 and 5.5.11.
extension BBR3 {
  /// HandleLostPacket.
  mutating func lost(_ loss: LossSample, path: BBRPath, now: Instant) {
    total = loss.total
    noteLoss()
    if loss.beginsRange, lostRanges < .max { lostRanges += 1 }
    guard flags.contains(.isProbeSample), let inFlight = loss.inFlightAtSend else { return }
    guard Self.isTooMuch(lost: loss.lost, of: inFlight, isSelective: loss.hasSelectiveAcknowledgments) else { return }
    let bound = Self.inFlightAtLoss(octets: loss.octets, lost: loss.lost, inFlight: inFlight)
    inFlightTooHigh(bound, isApplicationLimited: loss.isApplicationLimited, path, now: now)
  }

  /// The receiver reports a mark: as a loss rate that is too high, once for what is in flight.
  mutating func marked(path: BBRPath, now: Instant) {
    noteLoss()
    if state == .startup {
      endStartup(path)
    } else if flags.contains(.isProbeSample) {
      inFlightTooHigh(Int(latestInFlight), isApplicationLimited: false, path, now: now)
    }
  }

  /// NoteLoss.
  private mutating func noteLoss() {
    if !flags.contains(.lostInRound) {
      lossRoundEnd = total
      saveBounds()
    }
    flags.insert(.lostInRound)
  }

  /// SaveStateUponLoss, but for the window. Once for a recovery: the losses of its later rounds have been answered when it turns out that there were none.
  mutating func saveBounds() {
    guard !flags.contains(.isSaved) else { return }
    flags.insert(.isSaved)
    undoneState = nil
    undoRate = shortTermRate
    undoShortTerm = shortTermInFlight
    undoLongTerm = longTermInFlight
  }

  /// IsInflightTooHigh.
  static func isTooMuch(lost: Int, of inFlight: Int, isSelective: Bool) -> Bool {
    let lost = bounded(lost)
    return lost * lossParts > bounded(inFlight) || (lost > 0 && !isSelective)
  }

  /// InflightAtLoss: what was in flight where so much of it was lost that it was too much; the last of it may have been a burst of many segments.
  static func inFlightAtLoss(octets: Int, lost: Int, inFlight: Int) -> Int {
    let octets = bounded(octets)
    let before = max(bounded(inFlight) - octets, 0)
    let lostBefore = max(bounded(lost) - octets, 0)
    // (LossThresh * before - lostBefore) / (1 - LossThresh).
    let prefix = (before - lossParts * lostBefore) / (lossParts - 1)
    return before + max(prefix, 0)
  }

  /// HandleInflightTooHigh.
  private mutating func inFlightTooHigh(_ inFlight: Int, isApplicationLimited: Bool, _ path: BBRPath, now: Instant) {
    flags.insert(.probeWasTooHigh)
    flags.remove(.isProbeSample)
    if !isApplicationLimited {
      let least = Self.octets(Float(targetInFlight(path)) * Self.beta)
      longTermInFlight = UInt32(truncatingIfNeeded: max(Self.bounded(inFlight), least))
    }
    guard state == .up else { return }
    undoneState = .up
    beginDown(now: now)
  }

  /// TargetInflight.
  func targetInFlight(_ path: BBRPath) -> Int { min(pipe(path, rate: rate), path.window) }

  /// AdaptLowerBoundsFromCongestion, at the end of a round by which losses are counted.
  mutating func adaptToLosses(_ path: BBRPath) {
    let isLost = flags.remove(.lostInRound) != nil
    guard isLost, !state.isAccelerating else { return }
    if shortTermRate == .infinity { shortTermRate = largestRate }
    if shortTermInFlight == Self.unbounded {
      shortTermInFlight = UInt32(truncatingIfNeeded: Self.bounded(path.window))
    }
    shortTermRate = max(latestRate, Self.beta * shortTermRate)
    let less = Self.octets(Float(shortTermInFlight) * Self.beta)
    shortTermInFlight = max(latestInFlight, UInt32(truncatingIfNeeded: less))
  }

  /// AdvanceLatestDeliverySignals.
  mutating func beginLossRound(_ sample: RateSample, _ rate: Float) {
    latestRate = rate
    latestInFlight = UInt32(truncatingIfNeeded: Self.bounded(sample.delivered))
    lostRanges = 0
  }

  /// ResetCongestionSignals.
  mutating func forgetLosses() {
    flags.remove(.lostInRound)
    latestRate = 0
    latestInFlight = 0
  }

  /// ResetShortTermModel.
  mutating func forgetShortTerm() {
    shortTermRate = .infinity
    shortTermInFlight = Self.unbounded
  }

  /// HandleSpuriousLossDetection, but for the window.
  mutating func undone() {
    flags.remove(.lostInRound)
    seekFullRate()
    shortTermRate = max(shortTermRate, undoRate)
    shortTermInFlight = max(shortTermInFlight, undoShortTerm)
    longTermInFlight = max(longTermInFlight, undoLongTerm)
    let was = undoneState
    undoneState = nil
    guard let was, was != state else { return }
    if was == .startup {
      flags.remove(.fullRateReached)
      if state != .probeRoundTrip { state = .startup }
    } else if state != .probeRoundTrip {
      beginRefill()
    }
  }
}
