// SPDX-License-Identifier: Apache-2.0

public import CongestionControl
import Timekeeping

/// Our congestion control on a kernel's schedule. It is told what the kernel was told, in the order in which `LossRecovery` tells it: time,
/// octets, samples of the round trip, what was in flight, where losses were found and recoveries ended. Of the kernel's windows it sees the
/// initial one and, if it is `aligned`, that from which each reduction is made: Linux keeps whole segments, so that each loss leaves a difference
/// of up to one of them, of which the next loss would keep its part. What a loss takes and how the window grows after it count in full; but for
/// those for which Linux rounds more (`rounding`): what a loss takes is compared, and if that is no more than rounding apart, the window's growth counts
/// from where Linux's is.
///
/// Linux reduces its window, we what was in flight if that was less (RFC 5681, equation 4): here the window counts as full. Whether the window limits the
/// sender is said by Linux's rule, since ours is another one (RFC 7661): a guest that has to wait for its processor does not fill its window.
///
/// HyStart is off on both sides, and slow start has no limit for an acknowledgment (Linux has none).
public struct Replay {
  public private(set) var control: CongestionControl
  /// After each acknowledgment that fell in no recovery, where the window is the algorithm's.
  public private(set) var windows: [ReplayedWindow] = []
  public private(set) var losses = 0
  private var roundTrip = RTTEstimator()
  private var now = Instant(nanoseconds: 1_000_000_000)
  /// Octets from the beginning: acknowledged, and where the round ends.
  private var acknowledged = 0
  private var roundEnd = 0
  private var endedDelivering: Int?
  /// Data were acknowledged.
  private var hasBegun = false
  private let segmentSize: Int
  private let knobs: CongestionKnobs
  private let isAligned: Bool
  private var rounds = 0
  /// Segments: the kernel's window. Whether it was filled; the most in flight, and the octet until which both hold.
  private var theirs: Int
  private var wasFull = true
  private var mostInFlight = 0
  private var useEnd = 0
  /// `rounding` of the last reduction, if what that took was not compared yet.
  private var rounding: Double?
  private var isComparable = true
  /// The next acknowledgment reduces the window.
  private var isMarkDue = false
  /// Whether windows were compared since the last reduction.
  private var isCompared = false

  /// - Parameter change: makes another algorithm of it, to see that it is found.
  public init(
    _ schedule: RecordedSchedule, aligned: Bool = true, change: (inout CongestionKnobs) -> Void = { _ in }
  ) {
    var knobs = CongestionKnobs()
    knobs.algorithm = schedule.algorithm
    knobs.initialWindow = UInt16(clamping: schedule.initialWindow)
    knobs.byteCountingLimit = 0
    knobs.usesHyStart = false
    segmentSize = schedule.segmentSize
    knobs.slowStartThreshold = UInt32(clamping: schedule.threshold.multipliedReportingOverflow(by: segmentSize).0)
    change(&knobs)
    self.knobs = knobs
    isAligned = aligned
    theirs = schedule.initialWindow
    control = CongestionControl(knobs: knobs, segmentSize: segmentSize)
    for event in schedule.events { take(event) }
  }

  private mutating func take(_ event: RecordedEvent) {
    switch event {
    case .acknowledgment(let acknowledgment):
      take(acknowledgment)
    case .loss(let after, let inFlight, let window):
      now = now + after
      beginReduction(from: window)
      control.lossDetected(inFlight: max(inFlight, control.window), now: now)
    case .mark(let after, let window):
      now = now + after
      beginReduction(from: window)
      isMarkDue = true
    case .ended(let delivered):
      // What follows a mark is no recovery (`AcknowledgmentResult.endedRecovery`).
      if control.phase != .reduced { endedDelivering = delivered }
      control.recoveryEnded()
    case .timeout(let after, let inFlight):
      now = now + after
      losses += 1
      isComparable = true
      control.timedOut(inFlight: max(inFlight, control.window), now: now)
    }
  }

  /// The kernel's window is known where a reduction follows the end of the one before at once, and there is nothing to be compared in between.
  private mutating func beginReduction(from window: Int?) {
    if control.phase == .open {
      if !isCompared, let window { compare(window) }
      if isAligned, isCompared, let last = windows.last { align(to: last.theirs) }
    }
    losses += 1
    isComparable = isComparable(control)
    rounding = Self.rounding(control.algorithm, window: Double(control.window) / Double(segmentSize))
    isCompared = false
  }

  /// By how many segments what Linux leaves of a window may lie beside what it is computed for, besides being whole; nil: by none.
  ///
  /// Bounds that follow from its integers. HighSpeed: b(w) is the next lower 1/256. DCTCP: alpha is kept in 1/1024; of each round's two terms less than one is
  /// cut off, and 15/16 of that are left in the next round, so that it is off by less than 16, of which a reduction takes a half.
  private static func rounding(_ algorithm: CongestionAlgorithm, window: Double) -> Double? {
    switch algorithm {
    case .highSpeed: window / 256
    case .dctcp: window * 16 / 2048
    case .none, .newReno, .cubic, .bic, .scalable, .westwood, .vegas, .illinois, .hTCP, .bbr, .bbr3: nil
    }
  }

  /// Whether what a loss takes is to be the same; docs/algorithms.md.
  private func isComparable(_ control: CongestionControl) -> Bool {
    switch control.algorithm {
    // Linux takes b(w) of the window of its last congestion avoidance.
    case .highSpeed: !control.isInSlowStart
    // What the filters begin with is a matter of chance.
    case .westwood: rounds >= 40
    case .none, .newReno, .cubic, .bic, .scalable, .vegas, .illinois, .hTCP, .dctcp, .bbr, .bbr3: true
    }
  }

  /// Our window becomes the kernel's, by what policy may do.
  private mutating func align(to segments: Int) {
    let window = segments * segmentSize
    guard window > 0 else { return }
    control.adopted(inFlight: window)
    var lower = knobs
    lower.maximumWindow = UInt32(clamping: window)
    control.changed(knobs: lower)
    control.changed(knobs: knobs)
  }

  /// Linux's window grows for what it has let go when it was filled in the window before; in slow start half of it is enough.
  private mutating func isLimited(inFlight: Int) -> Bool {
    let segments = (inFlight + segmentSize - 1) / segmentSize
    let isFull = segments >= theirs
    if isFull || acknowledged >= useEnd || (!wasFull && segments > mostInFlight) {
      wasFull = isFull
      mostInFlight = segments
      useEnd = acknowledged + inFlight
    }
    return wasFull || (control.isInSlowStart && theirs < 2 * mostInFlight)
  }

  private mutating func take(_ acknowledgment: RecordedAcknowledgment) {
    now = now + acknowledgment.after
    let wasLimited = isLimited(inFlight: acknowledgment.inFlight)
    theirs = acknowledgment.window
    if let sample = acknowledgment.sample { roundTrip.sample(sample, now: now) }
    control.delivered(
      bytes: acknowledgment.delivered, roundTrip: roundTrip.smoothed, sample: acknowledgment.sample, now: now)
    // That of the SYN delivers nothing, and begins no round.
    guard acknowledgment.octets > 0, acknowledgment.delivered > 0 || hasBegun else { return }
    hasBegun = true
    let next = acknowledged + acknowledgment.inFlight
    acknowledged += acknowledgment.octets
    // DCTCP of Linux ends its observation window an acknowledgment earlier than RFC 8257, section 3.3, and so LossRecovery; over many of them it would be
    // chance which marks fall into which.
    let isOver = control.algorithm == .dctcp ? acknowledged >= roundEnd : acknowledged > roundEnd
    let beginsRound = isOver || endedDelivering != nil
    if beginsRound {
      roundEnd = next
      rounds += 1
    }
    // Illinois of Linux counts what a recovery had delivered once more when it ends, some windows' growth at once; ours is told the same here.
    let delivered = control.algorithm == .illinois ? nil : endedDelivering
    let octets = min(delivered ?? acknowledgment.octets, acknowledgment.octets)
    endedDelivering = nil
    control.acknowledged(
      bytes: octets, roundTrip: roundTrip.smoothed, sample: acknowledgment.sample, beginsRound: beginsRound,
      isWindowLimited: wasLimited, isMarked: acknowledgment.isMarked, now: now)
    if isMarkDue {
      control.congestionExperienced(now: now)
      isMarkDue = false
    }
    guard control.phase == .open || control.phase == .loss else { return }
    compare(acknowledgment.window)
  }

  private mutating func compare(_ theirs: Int) {
    isCompared = true
    let window = ReplayedWindow(
      time: now, ours: Double(control.window) / Double(segmentSize), theirs: theirs, losses: losses,
      isComparable: isComparable, rounding: rounding ?? 0)
    windows.append(window)
    if isAligned, rounding != nil, window.segments <= 1 { align(to: theirs) }
    rounding = nil
  }
}
