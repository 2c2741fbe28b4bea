// SPDX-License-Identifier: Apache-2.0

public import CongestionControl
import LossRecovery
public import Timekeeping
public import Wire

/// What the module knows of one direction of a connection's data. Numbers are the sender's; see docs/vtcp.md.
public struct SideView: Sendable {
  public let state: SideState
  public let reason: DrainReason
  public let unacknowledged: SequenceNumber
  public let next: SequenceNumber
  public let expected: SequenceNumber
  public let acknowledged: SequenceNumber
  public let receiverEdge: SequenceNumber
  public let shownEdge: SequenceNumber
  public let heldStart: SequenceNumber
  public let heldEnd: SequenceNumber
  /// Octets that exist nowhere else.
  public let owned: Int
  /// The round trip on the receiver's leg that was measured last; zero: none yet.
  public let roundTrip: Interval
  /// The congestion window, its threshold, and what is thought to be in the network, in octets. `CongestionControl.unlimited` if
  /// there is no limit; 0 if nothing is held.
  public let congestionWindow: Int
  public let slowStartThreshold: Int
  public let inFlight: Int
  public let phase: CongestionPhase
  /// The rate that the path is thought to carry, octets per second; 0: not known, or the algorithm does not ask.
  public let deliveryRate: Int64

  /// Acknowledgments to the sender are worded by the module.
  public var isOurs: Bool { state == .accelerated || state == .draining }

  init(_ side: FlowSide, _ sending: SideSending?, _ reason: DrainReason) {
    state = side.state
    self.reason = reason
    unacknowledged = side.unacknowledged
    next = side.next
    expected = side.expected
    acknowledged = side.acknowledged
    receiverEdge = side.receiverEdge
    shownEdge = side.shownEdge
    heldStart = side.buffer.start
    heldEnd = side.buffer.end
    owned = side.isOurs ? side.owned : 0
    roundTrip = sending?.lastRoundTrip ?? .zero
    congestionWindow = sending?.recovery.congestion.window ?? 0
    slowStartThreshold = sending?.recovery.congestion.slowStartThreshold ?? 0
    inFlight = sending?.recovery.inFlight ?? 0
    phase = sending?.recovery.congestion.phase ?? .open
    deliveryRate = sending?.recovery.congestion.deliveryRate ?? 0
  }
}
