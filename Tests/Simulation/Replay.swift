// SPDX-License-Identifier: Apache-2.0

public import CongestionControl
import Timekeeping

/// Our congestion control on a kernel's schedule. It is told what the kernel was told, in the order in which `LossRecovery` tells it: time,
/// octets, samples of the round trip, what was in flight, where losses were found and recoveries ended. Of the kernel's windows it sees the
/// initial one and, if it is `aligned`, that from which each reduction is made: Linux keeps whole segments, so that each loss leaves a difference
/// of up to one of them, of which the next loss would keep its part. What a loss takes and how the window grows after it count in full.
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
      losses += 1
      if isAligned { align() }
      isCompared = false
      control.lossDetected(inFlight: max(inFlight, control.window), now: now)
    case .ended(let delivered):
      control.recoveryEnded()
      endedDelivering = delivered
    case .timeout(let after, let inFlight):
      now = now + after
      losses += 1
      control.timedOut(inFlight: max(inFlight, control.window), now: now)
    }
  }

  /// Our window becomes the kernel's, by what policy may do.
  private mutating func align() {
    guard isCompared, control.phase == .open, let window = windows.last.map({ $0.theirs * segmentSize }), window > 0
    else { return }
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
    let next = acknowledged + acknowledgment.inFlight
    acknowledged += acknowledgment.octets
    let beginsRound = acknowledged >= roundEnd
    if beginsRound { roundEnd = next }
    let octets = min(endedDelivering ?? acknowledgment.octets, acknowledgment.octets)
    endedDelivering = nil
    control.acknowledged(
      bytes: octets, roundTrip: roundTrip.smoothed, sample: acknowledgment.sample, beginsRound: beginsRound,
      isWindowLimited: wasLimited, now: now)
    guard control.phase != .recovery else { return }
    isCompared = true
    windows.append(
      ReplayedWindow(
        time: now, ours: Double(control.window) / Double(segmentSize), theirs: acknowledgment.window,
        losses: losses))
  }
}
