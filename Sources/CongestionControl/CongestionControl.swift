// SPDX-License-Identifier: Apache-2.0

internal import Timekeeping

/// How much one sender may have in flight: the congestion window of one direction of a connection.
///
/// A value without pointers, so that it can lie in memory that outlives the process. It is told what happened, and `window`
/// says what may be in flight. What was lost, and when a recovery begins and ends, others find out (`LossRecovery`); what may
/// be sent for each acknowledgment meanwhile says `ProportionalRateReduction`; how it is spread over time, `Pacer`.
///
/// The events that mean the same to every algorithm are here and in `CongestionControl+Events.swift`; an algorithm is a file
/// of its own, with a case of `CongestionAlgorithm` and of `AlgorithmState`.
///
/// Bytes throughout. Always: one segment <= `window` <= the maximum; `slowStartThreshold` >= two segments. Numbers that can't
/// be are taken for the nearest that can.
public struct CongestionControl: Sendable, BitwiseCopyable {
  /// What `window` says when it does not limit.
  public static let unlimited = 1 << 40
  static let largestWindow = 1 << 30
  /// The time for which RFC 7661, section 4.4, lets an unused window stand.
  static let validFor = Interval.seconds(300)

  // In such an order that little is lost between them.
  var state: AlgorithmState
  public internal(set) var phase = CongestionPhase.open
  var keep: UInt16
  var undoState: AlgorithmState
  var byteCountingLimit: UInt8
  var additiveIncrease: UInt16
  var start = HyStart()
  var undoStart = HyStart.Pace.over
  var size: UInt16
  var congestionWindow: UInt32 = 0
  var threshold: UInt32 = 0
  var maximumWindow: UInt32 = 0
  /// Bytes acknowledged since the window last grew (`NewReno`).
  var credit: UInt32 = 0
  /// What was before the last reduction; 0: nothing to undo.
  var undoWindow: UInt32 = 0
  var undoThreshold: UInt32 = 0
  /// With the algorithms that go by rates.
  var model: RateModel

  /// A connection begins. `segmentSize`: octets of data in a full segment (SMSS), 1 to 65535.
  public init(knobs: CongestionKnobs, segmentSize: Int) {
    state = AlgorithmState(knobs.algorithm)
    undoState = state
    model = RateModel(knobs.algorithm)
    byteCountingLimit = knobs.byteCountingLimit
    keep = knobs.keepFactor
    additiveIncrease = knobs.additiveIncrease
    size = UInt16(clamping: max(segmentSize, 1))
    setMaximum(knobs.maximumWindow)
    threshold = bounded(threshold: Int(knobs.slowStartThreshold))
    congestionWindow = bounded(window: Self.initialWindow(knobs: knobs, segmentSize: Int(size)))
    if !knobs.usesHyStart { start.end() }
  }

  /// Bytes that may be in flight. `unlimited` with the algorithm `none`.
  public var window: Int {
    switch state {
    case .none: Self.unlimited
    default: Int(congestionWindow)
    }
  }

  /// ssthresh. Below it the window doubles in a round trip.
  public var slowStartThreshold: Int { Int(threshold) }
  public var segmentSize: Int { Int(size) }
  public var algorithm: CongestionAlgorithm { state.algorithm }
  public var isInSlowStart: Bool { congestionWindow < threshold }
  /// Whether there is a reduction that `undo` would take back.
  public var canUndo: Bool { undoWindow != 0 }

  /// Whether the window is what limits a sender with so many bytes in flight; to be asked before an acknowledgment is taken
  /// off. Half a window is enough (RFC 7661, section 4.3): pacing and large sends may keep a sender from ever filling it, and
  /// a reduction goes by what was in flight.
  public func isLimiting(inFlight: Int) -> Bool {
    inFlight >= Int(congestionWindow) / 2
  }

  /// What remains after a loss, in 1/1024.
  var keepFactor: Int {
    let factor = keep == 0 ? state.keepFactor(window: Int(congestionWindow), segmentSize: Int(size)) : keep
    return min(Int(factor), 1023)
  }

  mutating func setMaximum(_ maximum: UInt32) {
    maximumWindow = UInt32(truncatingIfNeeded: max(min(Int(maximum), Self.largestWindow), 2 * Int(size)))
  }

  func bounded(window: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: max(min(window, Int(maximumWindow)), Int(size)))
  }

  func bounded(threshold: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: max(min(threshold, Int(UInt32.max)), 2 * Int(size)))
  }

  /// RFC 6928, section 2, unless the knobs say a number of segments.
  static func initialWindow(knobs: CongestionKnobs, segmentSize: Int) -> Int {
    guard knobs.initialWindow == 0 else { return Int(knobs.initialWindow) * segmentSize }
    return min(10 * segmentSize, max(2 * segmentSize, 14600))
  }
}
