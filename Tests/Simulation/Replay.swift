// SPDX-License-Identifier: Apache-2.0

public import CongestionControl
import Timekeeping

/// Our congestion control on a kernel's schedule. It is told what the kernel was told, in the order in which `LossRecovery` tells it: time,
/// octets, samples of the round trip, what was in flight, where losses were found and recoveries ended. Of the kernel's windows it sees the
/// initial one and, if it is `aligned`, that from which each reduction is made: Linux keeps whole segments, so that each loss leaves a difference
/// of up to one of them, of which the next loss would keep its part. What a loss takes and how the window grows after it count in full; but for
/// HighSpeed, of which Linux rounds what a loss takes as well: how the window grows depends on it, and counts from where Linux's is, if that is
/// no more than rounding.
///
/// Linux reduces its window, we what was in flight if that was less (RFC 5681, equation 4): here the window counts as full.
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
  private let segmentSize: Int
  private let knobs: CongestionKnobs
  private let isAligned: Bool
  private var rounds = 0
  /// Ours, before the last reduction.
  private var before = 0
  /// What the last reduction took is rounded, and not looked at yet.
  private var isRounded = false
  private var isComparable = true
  /// The next acknowledgment reduces the window.
  private var isMarkDue = false
  /// Whether windows were compared since the last reduction.
  private var isCompared = false

  public init(_ schedule: RecordedSchedule, aligned: Bool = true) {
    var knobs = CongestionKnobs()
    knobs.algorithm = schedule.algorithm
    knobs.initialWindow = UInt16(clamping: schedule.initialWindow)
    knobs.byteCountingLimit = 0
    knobs.usesHyStart = false
    segmentSize = schedule.segmentSize
    knobs.slowStartThreshold = UInt32(clamping: schedule.threshold.multipliedReportingOverflow(by: segmentSize).0)
    // Linux takes off half of what BIC waits for, for delayed acknowledgments, and in integers its estimate of them can't fall below 31/16.
    if schedule.algorithm == .bic { knobs.additiveIncrease = 1024 * 31 / 16 }
    self.knobs = knobs
    isAligned = aligned
    control = CongestionControl(knobs: knobs, segmentSize: segmentSize)
    for event in schedule.events { take(event) }
  }

  private mutating func take(_ event: RecordedEvent) {
    switch event {
    case .acknowledgment(let acknowledgment):
      take(acknowledgment)
    case .loss(let after, let inFlight):
      now = now + after
      beginReduction()
      control.lossDetected(inFlight: max(inFlight, control.window), now: now)
    case .mark(let after):
      now = now + after
      beginReduction()
      isMarkDue = true
    case .ended(let delivered):
      control.recoveryEnded()
      endedDelivering = delivered
    case .timeout(let after, let inFlight):
      now = now + after
      losses += 1
      isComparable = true
      control.timedOut(inFlight: max(inFlight, control.window), now: now)
    }
  }

  private mutating func beginReduction() {
    losses += 1
    isComparable = isComparable(control)
    before = control.window
    isRounded = isAligned && control.algorithm == .highSpeed
    if isAligned, isCompared, control.phase == .open, let last = windows.last { align(to: last.theirs) }
    isCompared = false
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

  private mutating func take(_ acknowledgment: RecordedAcknowledgment) {
    now = now + acknowledgment.after
    let wasLimited = control.isLimiting(inFlight: acknowledgment.inFlight)
    if let sample = acknowledgment.sample { roundTrip.sample(sample, now: now) }
    control.delivered(
      bytes: acknowledgment.delivered, roundTrip: roundTrip.smoothed, sample: acknowledgment.sample, now: now)
    guard acknowledgment.octets > 0 else { return }
    let next = acknowledged + acknowledgment.inFlight
    acknowledged += acknowledgment.octets
    let beginsRound = acknowledged >= roundEnd
    if beginsRound {
      roundEnd = next
      rounds += 1
    }
    let octets = min(endedDelivering ?? acknowledgment.octets, acknowledgment.octets)
    endedDelivering = nil
    control.acknowledged(
      bytes: octets, roundTrip: roundTrip.smoothed, sample: acknowledgment.sample, beginsRound: beginsRound,
      isWindowLimited: wasLimited, isMarked: acknowledgment.isMarked, now: now)
    if isMarkDue {
      control.congestionExperienced(now: now)
      isMarkDue = false
    }
    guard control.phase == .open || control.phase == .loss else { return }
    isCompared = true
    let window = ReplayedWindow(
      time: now, ours: Double(control.window) / Double(segmentSize), theirs: acknowledgment.window, losses: losses,
      isComparable: isComparable)
    windows.append(window)
    guard isRounded else { return }
    isRounded = false
    if window.segments <= 1 + Double(before / segmentSize) / 256 { align(to: window.theirs) }
  }
}
