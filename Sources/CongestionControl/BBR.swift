// SPDX-License-Identifier: Apache-2.0

internal import Timekeeping

/// BBR, version 1 (draft-cardwell-iccrg-bbr-congestion-control-00): a model of the path, which is how fast it delivers (BtlBw, the most of the last
/// ten rounds) and how long it is (RTprop, the least of the last ten seconds), says how fast to send and how much may be in flight. A loss is no
/// sign of congestion: only in the first round of a recovery no more leaves than arrives. A mark (ECN) counts as a loss.
///
/// Numbers are Linux's where the draft leaves a choice. Not here: the long-term rate of a policed path, and the allowance for acknowledgments that come
/// in lumps (extra_acked), neither of which the draft has. Single precision, and only operations whose results IEEE 754 fixes.
struct BBR: BitwiseCopyable {
  /// 2/ln 2: what doubles the rate in each round.
  static let highGain: Float = 2.885
  static let drainGain: Float = 1 / 2.885
  /// BBRGainCycle: the first two of its eight places, a round trip each; the others are 1.
  static let probeGain: Float = 1.25
  static let restGain: Float = 0.75
  static let windowGain: Float = 2
  /// BtlBwFilterLen, rounds.
  static let rateRounds: UInt16 = 10
  /// RTpropFilterLen and ProbeRTTDuration.
  static let roundTripValidity = Interval.seconds(10)
  static let probeDuration = Interval.milliseconds(200)
  /// BBRMinPipeCwnd, segments.
  static let leastSegments = 4
  /// BBRStartupFullBwThreshold and the rounds without so much more.
  static let fullGrowth: Float = 1.25
  static let fullRounds: UInt8 = 3
  /// Slower than the path by so much, so that a queue goes away by and by.
  static let margin: Float = 0.99
  /// Before a round trip is known.
  static let unknownRoundTrip: UInt32 = 1_000
  static let largestQuantum = 65_536

  /// Octets a second. `pacingRate` 0: nothing was sent yet.
  private(set) var rates = WindowedMaximum()
  private(set) var pacingRate: Float = 0
  private var fullRate: Float = 0
  /// BBR.RTprop, microseconds; `max`: unknown. And when it was measured, or known to stand.
  private(set) var roundTrip = UInt32.max
  private var roundTripSeen = Instant(nanoseconds: 0)
  /// BBR.cycle_stamp; while the round trip is probed, BBR.probe_rtt_done_stamp.
  private var stamp = Instant(nanoseconds: 0)
  /// BBR.next_round_delivered, as C.delivered.
  private var roundEnd: UInt32 = 0
  /// BBR.prior_cwnd, octets.
  private(set) var priorWindow: UInt32 = 0
  private(set) var round: UInt16 = 0
  private(set) var mode = BBRMode.startup
  private(set) var place: UInt8 = 0
  private var fullCount: UInt8 = 0
  private var phase = CongestionPhase.open
  private(set) var flags = BBRFlags()

  /// BBR.pacing_gain.
  var pacingGain: Float {
    switch mode {
    case .startup: Self.highGain
    case .drain: Self.drainGain
    case .probeBandwidth: place == 0 ? Self.probeGain : place == 1 ? Self.restGain : 1
    case .probeRoundTrip: 1
    }
  }

  /// BBR.cwnd_gain.
  private var currentWindowGain: Float {
    switch mode {
    case .startup, .drain: Self.highGain
    case .probeBandwidth: Self.windowGain
    case .probeRoundTrip: 1
    }
  }

  // MARK: What happens

  /// Sending begins, or begins again with nothing in flight (BBRHandleRestartFromIdle). Returns the window.
  ///
  /// - Parameter least: the least round trip that is known, from elsewhere; zero: none is.
  mutating func restarted(path: BBRPath, roundTrip least: Interval, isApplicationLimited: Bool, now: Instant) -> Int {
    if pacingRate == 0 {
      if least.nanoseconds > 0 { adopt(roundTrip: least, now: now) }
      pace(byWindow: path)
    }
    guard isApplicationLimited else { return path.window }
    flags.insert(.restarts)
    switch mode {
    case .probeBandwidth: pace(path, gain: 1)
    case .probeRoundTrip: return endProbe(path, now: now)
    case .startup, .drain: break
    }
    return path.window
  }

  /// An acknowledgment (BBRUpdateOnACK). Returns the window.
  mutating func sampled(_ sample: RateSample, path: BBRPath, phase: CongestionPhase, now: Instant) -> Int {
    noteRate(sample)
    if mode == .probeBandwidth { goRound(sample, path, now: now) }
    noteFullPipe(sample)
    drain(sample, path, now: now)
    var path = path
    path.window = noteRoundTrip(sample, path, now: now)
    if roundTrip != .max, !flags.contains(.hasMeasured) {
      flags.insert(.hasMeasured)
      pacingRate = 0
      pace(byWindow: path)
    }
    pace(path, gain: pacingGain)
    return window(sample, path, phase: phase)
  }

  /// BBRSaveCwnd: a recovery is about to begin, or a timeout to take the window. What one that has not ended had saved stays, if it is more.
  mutating func save(window: UInt32) {
    priorWindow = phase == .open && mode != .probeRoundTrip ? window : max(priorWindow, window)
  }

  /// A timeout: the path may be another one now.
  mutating func timedOut() {
    phase = .loss
    fullRate = 0
  }

  /// It was none.
  mutating func undone() {
    fullRate = 0
    fullCount = 0
  }

  // MARK: The model

  /// BBRUpdateRound and BBRUpdateBtlBw.
  private mutating func noteRate(_ sample: RateSample) {
    flags.remove(.beginsRound)
    guard sample.interval.nanoseconds > 0, sample.delivered >= 0 else { return }
    if Int32(bitPattern: sample.priorTotal &- roundEnd) >= 0 {
      roundEnd = sample.total
      round &+= 1
      flags.insert(.beginsRound)
      flags.remove(.conserves)
    }
    let rate = Float(min(sample.delivered, 1 << 40)) / Float(sample.interval.nanoseconds) * 1e9
    if !sample.isApplicationLimited || rate >= rates.value { rates.add(rate, round: round, length: Self.rateRounds) }
  }

  /// BBRCheckFullPipe.
  private mutating func noteFullPipe(_ sample: RateSample) {
    guard flags.contains(.beginsRound), !flags.contains(.pipeIsFull), !sample.isApplicationLimited else { return }
    guard rates.value < fullRate * Self.fullGrowth else {
      fullRate = rates.value
      fullCount = 0
      return
    }
    fullCount &+= 1
    if fullCount >= Self.fullRounds { flags.insert(.pipeIsFull) }
  }

  /// BBRCheckDrain.
  private mutating func drain(_ sample: RateSample, _ path: BBRPath, now: Instant) {
    if mode == .startup, flags.contains(.pipeIsFull) { mode = .drain }
    if mode == .drain, sample.inFlight <= target(path, gain: 1) { probeBandwidth(now: now) }
  }

  /// BBREnterProbeBW: anywhere but where what was probed is drained, so that those who share a path do not go together. By the time, which is as good
  /// as by chance here.
  private mutating func probeBandwidth(now: Instant) {
    mode = .probeBandwidth
    let mixed = UInt64(bitPattern: now.nanoseconds) &* 0x9e37_79b9_7f4a_7c15
    let any = UInt8(truncatingIfNeeded: (mixed >> 32) % 7)
    place = any == 0 ? 0 : any + 1
    stamp = now
  }

  /// BBRCheckCyclePhase.
  private mutating func goRound(_ sample: RateSample, _ path: BBRPath, now: Instant) {
    let isOver = roundTrip != .max && now - stamp > .microseconds(Int64(roundTrip))
    let isNext: Bool
    switch place {
    // More has to be in flight for more to arrive; unless something is lost.
    case 0: isNext = isOver && (sample.newlyLost > 0 || sample.priorInFlight >= target(path, gain: Self.probeGain))
    case 1: isNext = isOver || sample.priorInFlight <= target(path, gain: 1)
    default: isNext = isOver
    }
    guard isNext else { return }
    place = (place &+ 1) & 7
    stamp = now
  }

  /// BBRUpdateRTprop and BBRCheckProbeRTT. Returns the window.
  private mutating func noteRoundTrip(_ sample: RateSample, _ path: BBRPath, now: Instant) -> Int {
    let isOld = roundTrip != .max && now - roundTripSeen > Self.roundTripValidity
    if let measured = sample.roundTrip, measured.nanoseconds >= 0, Self.micros(measured) <= roundTrip || isOld {
      adopt(roundTrip: measured, now: now)
    }
    if isOld, !flags.contains(.restarts), mode != .probeRoundTrip {
      save(window: UInt32(clamping: path.window))
      mode = .probeRoundTrip
      flags.remove(.isShort)
    }
    if sample.newlyDelivered > 0 { flags.remove(.restarts) }
    guard mode == .probeRoundTrip else { return path.window }
    guard flags.contains(.isShort) else {
      if sample.inFlight <= Self.leastSegments * path.segmentSize {
        stamp = now + Self.probeDuration
        flags.insert(.isShort)
        flags.remove(.roundIsOver)
        roundEnd = sample.total
      }
      return path.window
    }
    if flags.contains(.beginsRound) { flags.insert(.roundIsOver) }
    return flags.contains(.roundIsOver) ? endProbe(path, now: now) : path.window
  }

  /// BBRExitProbeRTT, when its time is over.
  private mutating func endProbe(_ path: BBRPath, now: Instant) -> Int {
    guard flags.contains(.isShort), now > stamp else { return path.window }
    roundTripSeen = now
    if flags.contains(.pipeIsFull) { probeBandwidth(now: now) } else { mode = .startup }
    return max(path.window, Int(priorWindow))
  }

  private mutating func adopt(roundTrip measured: Interval, now: Instant) {
    roundTrip = Self.micros(measured)
    roundTripSeen = now
  }

  private static func micros(_ interval: Interval) -> UInt32 {
    UInt32(clamping: max(min(interval.nanoseconds / 1000, Int64(UInt32.max) - 1), 1))
  }

  // MARK: What follows from it

  /// BBRSetPacingRate: not slower before the pipe was full once.
  private mutating func pace(_ path: BBRPath, gain: Float) {
    let rate = rates.value * gain * Self.margin
    if flags.contains(.pipeIsFull) || rate > pacingRate { pacingRate = rate }
  }

  /// BBRInitPacingRate.
  private mutating func pace(byWindow path: BBRPath) {
    let micros = roundTrip == .max ? Self.unknownRoundTrip : roundTrip
    pacingRate = Self.highGain * Self.margin * Float(path.window) / (Float(micros) / 1e6)
  }

  /// BBRInflight: what the path holds, times the gain, and what is made ready at both ends at once.
  func target(_ path: BBRPath, gain: Float) -> Int {
    guard roundTrip != .max, rates.value > 0 else { return path.initialWindow }
    let octets = rates.value * (Float(roundTrip) / 1e6) * gain
    let probing = mode == .probeBandwidth && place == 0 ? 2 * path.segmentSize : 0
    return Self.octets(octets) + 3 * quantum(path) + probing
  }

  /// BBR.send_quantum: what may leave in one piece, a millisecond's worth.
  private func quantum(_ path: BBRPath) -> Int {
    max(min(Self.octets(pacingRate / 1000), Self.largestQuantum), 2 * path.segmentSize)
  }

  static func octets(_ number: Float) -> Int { number < 0x1p30 ? Int(max(number, 0)) : 1 << 30 }

  /// BBRSetCwnd.
  private mutating func window(_ sample: RateSample, _ path: BBRPath, phase: CongestionPhase) -> Int {
    let least = Self.leastSegments * path.segmentSize
    let arrived = max(min(sample.newlyDelivered, 1 << 30), 0)
    let inFlight = max(min(sample.inFlight, 1 << 30), 0)
    var window = max(path.window - max(min(sample.newlyLost, 1 << 30), 0), path.segmentSize)
    if phase == .recovery || phase == .reduced, self.phase == .open {
      // BBRModulateCwndForRecovery.
      flags.insert(.conserves)
      roundEnd = sample.total
      // What is sent again first is not held back.
      window = inFlight + max(arrived, path.segmentSize)
    } else if phase == .open, self.phase != .open {
      flags.remove(.conserves)
      window = max(window, Int(priorWindow))
    }
    self.phase = phase
    if flags.contains(.conserves) {
      window = max(window, inFlight + arrived)
    } else if arrived > 0 {
      let target = target(path, gain: currentWindowGain)
      if flags.contains(.pipeIsFull) {
        window = min(window + arrived, target)
      } else if window < target || sample.total < path.initialWindow {
        window += arrived
      }
      window = max(window, least)
    }
    return mode == .probeRoundTrip ? min(window, least) : window
  }
}
