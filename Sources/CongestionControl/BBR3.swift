// SPDX-License-Identifier: Apache-2.0

internal import Timekeeping

/// BBR, version 3 (draft-ietf-ccwg-bbr-06, of July 2026): like version 1 (`BBR`) it sends by a model of the path, the rate at which it delivers and its
/// shortest round trip. Besides it learns how much the path and its queue take before losses are many (`longTermInFlight`, at the end of a probe for
/// bandwidth), gives way while something is lost (`shortTermRate`, `shortTermInFlight`), probes as rarely as a Reno flow beside it needs, and leaves
/// room for others.
///
///     BBR3.swift             state, gains, and what happens
///     BBR3+Model.swift       what acknowledgments show (section 5.5)
///     BBR3+Losses.swift      what losses and marks show (sections 5.5.10, 5.5.11)
///     BBR3+Cycle.swift       Startup, Drain and ProbeBW (sections 5.3.1 to 5.3.3)
///     BBR3+RoundTrip.swift   the shortest round trip, and ProbeRTT (section 5.3.4)
///     BBR3+Window.swift      pacing rate and window (section 5.6)
///
/// Where the draft's text and its pseudocode differ, it does what the pseudocode says. Its own are: the answer to a mark, which the draft leaves open
/// (section 3.6: as congestion); that a probe for bandwidth which ProbeRTT cuts short is the end of a cycle (`cutProbe`); that what was saved before
/// losses is that of before the recovery, not of before its last round; that no probe begins before what a timeout has begun is over; and chance is the
/// time at which something happens. Single precision, and only
/// operations whose results IEEE 754 fixes.
struct BBR3: BitwiseCopyable {
  /// BBR.StartupPacingGain and BBR.DrainPacingGain.
  static let startupGain: Float = 2.77
  static let drainGain: Float = 0.5
  /// Sections 5.3.3.1 and 5.3.3.4.
  static let downGain: Float = 0.9
  static let upGain: Float = 1.25
  /// BBR.DefaultCwndGain; that of ProbeBW_UP; BBR.ProbeRTTCwndGain.
  static let windowGain: Float = 2
  static let upWindowGain: Float = 2.25
  static let shortGain: Float = 0.5
  /// BBR.PacingMarginPercent: 1.
  static let margin: Float = 0.99
  /// BBR.LossThresh, 2 %: one part of so many.
  static let lossParts = 50
  /// BBRStartupFullLossCnt.
  static let startupLossRanges: UInt8 = 6
  /// BBR.Beta, 0.7.
  static let beta: Float = 0.7
  /// BBR.Headroom, 15 %.
  static let headroomPercent = 15
  /// BBR.MinPipeCwnd, segments.
  static let leastSegments = 4
  /// CheckFullBWReached.
  static let fullGrowth: Float = 1.25
  static let fullRounds: UInt8 = 3
  /// CheckDrainDone.
  static let drainRounds: UInt16 = 3
  /// BBR.ExtraAckedFilterLen, rounds.
  static let extraRounds: UInt16 = 10
  /// T_reno_bound: rounds between probes for bandwidth at the most. T_bbr: 2 s, and up to one more by chance.
  static let probeRounds = 63
  static let probeWait = Interval.seconds(2)
  static let probeWaitSpread: UInt64 = 1_000_000
  /// BBR.MinRTTFilterLen, BBR.ProbeRTTInterval, BBR.ProbeRTTDuration.
  static let roundTripValidity = Interval.seconds(10)
  static let probeInterval = Interval.seconds(5)
  static let probeDuration = Interval.milliseconds(200)
  /// Before a round trip is known.
  static let unknownRoundTrip: UInt32 = 1_000
  static let largestQuantum = 65_536
  /// Of what is in flight: no bound.
  static let unbounded = UInt32.max

  /// BBR.max_bw_filter: octets a second, the largest of this cycle of probes and of the one before.
  var cycleRate: Float = 0
  var previousCycleRate: Float = 0
  /// C.pacing_rate, octets a second; 0: nothing was sent yet.
  var pacingRate: Float = 0
  /// BBR.bw_shortterm, BBR.bw_latest, BBR.full_bw; octets a second.
  var shortTermRate = Float.infinity
  var latestRate: Float = 0
  var fullRate: Float = 0
  /// BBR.inflight_longterm, BBR.inflight_shortterm, BBR.inflight_latest; octets.
  var longTermInFlight = BBR3.unbounded
  var shortTermInFlight = BBR3.unbounded
  var latestInFlight: UInt32 = 0
  /// BBR.undo_bw_shortterm, BBR.undo_inflight_shortterm, BBR.undo_inflight_longterm. 0: nothing to restore.
  var undoRate: Float = 0
  var undoShortTerm: UInt32 = 0
  var undoLongTerm: UInt32 = 0
  /// BBR.min_rtt and BBR.probe_rtt_min_delay, microseconds; `max`: unknown. And their stamps.
  var roundTrip = UInt32.max
  var recentRoundTrip = UInt32.max
  var roundTripSeen = Instant(nanoseconds: 0)
  var recentRoundTripSeen = Instant(nanoseconds: 0)
  /// BBR.cycle_stamp; in ProbeRTT BBR.probe_rtt_done_stamp.
  var stamp = Instant(nanoseconds: 0)
  /// BBR.extra_acked_interval_start, BBR.extra_acked_delivered, BBR.extra_acked_filter.
  var extraBegan = Instant(nanoseconds: 0)
  var extraDelivered: UInt32 = 0
  var extra = WindowedMaximum()
  /// BBR.round_count, BBR.drain_start_round; modulo 2^16.
  var round: UInt16 = 0
  var drainRound: UInt16 = 0
  /// C.delivered, BBR.next_round_delivered, BBR.loss_round_delivered; modulo 2^32.
  var total: UInt32 = 0
  var roundEnd: UInt32 = 0
  var lossRoundEnd: UInt32 = 0
  /// BBR.prior_cwnd, octets.
  var priorWindow: UInt32 = 0
  /// BBR.bw_probe_up_acked, BBR.probe_up_acked_per_inc; octets.
  var probeAcknowledged: UInt32 = 0
  var probeStep = UInt32.max
  /// BBR.bw_probe_wait, microseconds beyond two seconds.
  var wait: UInt32 = 0
  /// BBR.bw_probe_up_rounds, BBR.rounds_since_probe_up, BBR.full_bw_count.
  var probeUpRounds: UInt8 = 0
  var roundsSinceProbe: UInt8 = 0
  var fullCount: UInt8 = 0
  /// Ranges lost in this round by which losses are counted.
  var lostRanges: UInt8 = 0
  var state = BBR3State.startup
  /// BBR.undo_state.
  var undoneState: BBR3State?
  var feedback = BBR3Feedback.none
  var phase = CongestionPhase.open
  var flags = BBR3Flags()

  /// BBR.pacing_gain.
  var pacingGain: Float {
    switch state {
    case .startup: Self.startupGain
    case .drain: Self.drainGain
    case .down: Self.downGain
    case .up: Self.upGain
    case .cruise, .refill, .probeRoundTrip: 1
    }
  }

  /// BBR.cwnd_gain.
  var currentWindowGain: Float {
    switch state {
    case .up: Self.upWindowGain
    case .probeRoundTrip: Self.shortGain
    case .startup, .drain, .down, .cruise, .refill: Self.windowGain
    }
  }

  // MARK: What happens

  /// Sending begins, or begins again with nothing in flight (HandleRestartFromIdle). Returns the window.
  ///
  /// - Parameter least: the least round trip that is known, from elsewhere; zero: none is.
  mutating func restarted(path: BBRPath, roundTrip least: Interval, isApplicationLimited: Bool, now: Instant) -> Int {
    if pacingRate == 0 {
      if least.nanoseconds > 0 { adopt(roundTrip: least, now: now) }
      extraBegan = now
      pace(byWindow: path)
    }
    guard isApplicationLimited else { return path.window }
    flags.insert(.restarts)
    extraBegan = now
    if state.probesBandwidth { pace(gain: 1) }
    return state == .probeRoundTrip ? endProbeRoundTrip(path, now: now) : path.window
  }

  /// An acknowledgment (UpdateOnACK). Returns the window.
  mutating func sampled(_ sample: RateSample, path: BBRPath, phase: CongestionPhase, now: Instant) -> Int {
    var path = path
    let rate = Self.rate(sample)
    total = sample.total
    noteFullWindow(sample, path)
    noteDelivery(sample, rate)
    noteRate(sample, rate)
    if flags.contains(.beginsLossRound) { adaptToLosses(path) }
    noteExtra(sample, path, now: now)
    noteFullRate(sample, rate)
    path.window = endRecovery(path, phase: phase)
    checkStartup(sample, path)
    checkDrain(sample, path, now: now)
    if sample.newlyDelivered > 0 { advanceCycle(sample, rate, path, now: now) }
    noteRoundTrip(sample, now: now)
    path.window = probeRoundTrip(sample, path, now: now)
    if flags.contains(.beginsLossRound) { beginLossRound(sample, rate) }
    if roundTrip != .max, !flags.contains(.hasMeasured) {
      flags.insert(.hasMeasured)
      pacingRate = 0
      pace(byWindow: path)
    }
    pace(gain: pacingGain)
    return window(sample, path)
  }

  /// SaveCwnd: a recovery is about to begin, or a timeout to take the window. What one that has not ended had saved stays, if it is more.
  mutating func save(window: UInt32) {
    priorWindow = phase == .open && state != .probeRoundTrip ? window : max(priorWindow, window)
    saveBounds()
  }

  /// OnEnterRTO, but for what `save` does.
  mutating func timedOut() { phase = .loss }

  /// RestoreCwnd, when a recovery or what a timeout began is over. Returns the window.
  private mutating func endRecovery(_ path: BBRPath, phase: CongestionPhase) -> Int {
    let isOver = phase == .open && self.phase != .open
    self.phase = phase
    if phase == .open { flags.remove(.isSaved) }
    return isOver ? max(path.window, Int(priorWindow)) : path.window
  }
}
