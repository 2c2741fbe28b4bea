// SPDX-License-Identifier: Apache-2.0

internal import Timekeeping

/// Startup, Drain and the four parts of ProbeBW: draft-ietf-ccwg-bbr-06, sections 5.3.1 to 5.3.3.
extension BBR3 {
  /// CheckStartupDone.
  mutating func checkStartup(_ sample: RateSample, _ path: BBRPath) {
    guard state == .startup else { return }
    if !flags.contains(.fullRateReached), isStartupTooLossy(sample) { endStartup(path) }
    if flags.contains(.fullRateReached) { beginDrain() }
  }

  /// CheckStartupHighLoss: of a recovery that has lasted a round, unless no more than one loss in a round can be told.
  private func isStartupTooLossy(_ sample: RateSample) -> Bool {
    guard phase == .recovery else { return false }
    guard sample.hasSelectiveAcknowledgments else { return sample.newlyLost > 0 }
    guard flags.contains(.beginsLossRound), lostRanges >= Self.startupLossRanges else { return false }
    return sample.inFlightAtSend.map { Self.isTooMuch(lost: sample.lost, of: $0, isSelective: true) } ?? false
  }

  /// Losses, or a mark, say that the path is full.
  mutating func endStartup(_ path: BBRPath) {
    undoneState = .startup
    flags.formUnion([.fullRateNow, .fullRateReached])
    longTermInFlight = max(UInt32(truncatingIfNeeded: pipe(path, rate: rate)), latestInFlight)
    beginDrain()
  }

  /// EnterDrain.
  private mutating func beginDrain() {
    state = .drain
    drainRound = round
  }

  /// CheckDrainDone.
  mutating func checkDrain(_ sample: RateSample, _ path: BBRPath, now: Instant) {
    guard state == .drain else { return }
    let isEmpty = Self.bounded(sample.inFlight) <= allowed(path, pipe(path, rate: rate))
    if isEmpty || round &- drainRound > Self.drainRounds { beginDown(now: now) }
  }

  // MARK: ProbeBW

  /// StartProbeBW_DOWN, with PickProbeWait. By the time, which is as good as by chance here.
  mutating func beginDown(now: Instant) {
    forgetLosses()
    probeStep = .max
    let mixed = UInt64(bitPattern: now.nanoseconds) &* 0x9e37_79b9_7f4a_7c15
    roundsSinceProbe = UInt8(mixed >> 63)
    wait = UInt32(truncatingIfNeeded: (mixed >> 24) % Self.probeWaitSpread)
    stamp = now
    feedback = .stopping
    beginRound()
    state = .down
  }

  /// StartProbeBW_REFILL.
  mutating func beginRefill() {
    forgetShortTerm()
    probeUpRounds = 0
    probeAcknowledged = 0
    flags.remove(.probeWasPrecautionary)
    feedback = .refilling
    beginRound()
    state = .refill
  }

  /// StartProbeBW_UP.
  private mutating func beginUp(_ rate: Float, _ path: BBRPath) {
    flags.insert(.isProbeSample)
    feedback = .starting
    beginRound()
    seekFullRate(from: rate)
    state = .up
    raiseSlope(path)
  }

  /// UpdateProbeBWCyclePhase.
  mutating func advanceCycle(_ sample: RateSample, _ rate: Float, _ path: BBRPath, now: Instant) {
    guard flags.contains(.fullRateReached), !adaptLongTerm(sample, path) else { return }
    switch state {
    case .startup, .drain, .probeRoundTrip: break
    case .down:
      if isTimeToProbe(path, now: now) {
        beginRefill()
      } else if isTimeToCruise(sample, path) {
        state = .cruise
      }
    case .cruise:
      if isTimeToProbe(path, now: now) { beginRefill() }
    case .refill:
      if flags.contains(.beginsRound) { beginUp(rate, path) }
    case .up:
      guard isTimeToGoDown(sample, rate, path) else { return }
      flags.remove(.probeWasTooHigh)
      beginDown(now: now)
    }
  }

  /// IsTimeToProbeBW: some time is over, or the rounds that a Reno flow would take to fill as much. Not while a timeout holds the window down: then a
  /// probe finds that, and a loss in it would make it the bound.
  private func isTimeToProbe(_ path: BBRPath, now: Instant) -> Bool {
    guard phase != .loss else { return false }
    if now > stamp + (Self.probeWait + .microseconds(Int64(wait))) { return true }
    return Int(roundsSinceProbe) >= min(targetInFlight(path) / max(path.segmentSize, 1), Self.probeRounds)
  }

  /// IsTimeToCruise.
  private func isTimeToCruise(_ sample: RateSample, _ path: BBRPath) -> Bool {
    let inFlight = Self.bounded(sample.inFlight)
    return inFlight <= longTermWithHeadroom(path) && inFlight <= allowed(path, pipe(path, rate: largestRate))
  }

  /// IsTimeToGoDown.
  private mutating func isTimeToGoDown(_ sample: RateSample, _ rate: Float, _ path: BBRPath) -> Bool {
    // No whole segment fits below the bound.
    let isAtBound = Self.bounded(sample.priorInFlight) + path.segmentSize > Int(longTermInFlight)
    if flags.contains(.probeWasTooHigh), isAtBound {
      flags.insert(.probeWasPrecautionary)
      return true
    }
    if isWindowLimited, path.window >= Int(longTermInFlight) {
      seekFullRate(from: rate)
      return false
    }
    return flags.contains(.fullRateNow)
  }

  /// AdaptLongTermModel. Returns whether another part of the cycle has begun.
  private mutating func adaptLongTerm(_ sample: RateSample, _ path: BBRPath) -> Bool {
    if flags.contains(.beginsRound) {
      if feedback == .starting {
        feedback = .probing
      } else if feedback == .stopping, endFeedback(sample) {
        return true
      }
    }
    guard longTermInFlight != Self.unbounded, let inFlight = sample.inFlightAtSend,
      !Self.isTooMuch(lost: sample.lost, of: inFlight, isSelective: sample.hasSelectiveAcknowledgments)
    else { return false }
    longTermInFlight = max(longTermInFlight, UInt32(truncatingIfNeeded: Self.bounded(inFlight)))
    if state == .up { raiseLongTerm(sample, path) }
    return false
  }

  /// All that was sent in a probe is acknowledged. If it ended early, and nothing was lost, there is a whole one now.
  private mutating func endFeedback(_ sample: RateSample) -> Bool {
    flags.remove(.isProbeSample)
    feedback = .none
    guard state.probesBandwidth else { return false }
    if !sample.isApplicationLimited { beginRateCycle() }
    guard flags.contains(.probeWasPrecautionary), !flags.contains(.probeWasTooHigh) else { return false }
    beginRefill()
    return true
  }

  /// RaiseInflightLongtermSlope: twice as many segments in each round.
  private mutating func raiseSlope(_ path: BBRPath) {
    let growth = 1 << Int(probeUpRounds)
    probeUpRounds = min(probeUpRounds + 1, 30)
    probeStep = UInt32(clamping: max(path.window / growth, path.segmentSize, 1))
  }

  /// ProbeInflightLongtermUpward.
  private mutating func raiseLongTerm(_ sample: RateSample, _ path: BBRPath) {
    guard isWindowLimited, path.window >= Int(longTermInFlight) else { return }
    let acknowledged = Int(probeAcknowledged) + Self.bounded(sample.newlyDelivered)
    let step = max(Int(probeStep), 1)
    let segments = acknowledged / step
    probeAcknowledged = UInt32(clamping: acknowledged - segments * step)
    let raised = Int(longTermInFlight) + segments * path.segmentSize
    longTermInFlight = UInt32(truncatingIfNeeded: min(raised, 1 << 30))
    if flags.contains(.beginsRound) { raiseSlope(path) }
  }
}
