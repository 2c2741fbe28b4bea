// SPDX-License-Identifier: Apache-2.0

public import CongestionControl
public import Timekeeping

/// What an administrator sets for a connection, or a class of them (R12, R48). It rules what the module does towards an end;
/// the configuration of the ends themselves is not changed (R5).
///
/// What happens when a buffer is full (R29, R30) is said by the window policy.
public struct FlowConfiguration: BitwiseCopyable, Equatable, Sendable {
  public var mode = AccelerationMode.early
  public var transmitWindow = WindowPolicy.buffer
  public var receiveWindow = WindowPolicy.receiver
  /// While a receiver's window is shut, in both directions.
  public var shutWindow = ShutWindowPolicy.keepPromise
  public var receiveRecovery = ReceiveRecovery.simple
  /// CongestionControlAlgorithm of FIG. 16, towards the network; towards the guest with full recovery only.
  public var congestionAlgorithm = CongestionAlgorithm.cubic
  /// Whether the first slow start ends when the round trip grows (RFC 9406), before something is lost.
  public var usesHyStart = true
  /// Whether what is sent is spread over the round trip.
  public var isPaced = true
  /// Whether what is sent towards the network, again too, may leave as large sends, which the uplink cuts (R70). Else segment by segment.
  public var sendsLarge = true
  /// BufferSize: octets that may be held for one direction of one connection, guest to network and network to guest.
  public var transmitBufferSize: UInt32 = 4 << 20
  public var receiveBufferSize: UInt32 = 4 << 20
  /// Octets besides, in each direction, for data that came ahead of their turn (R23). 0: such data are not kept (R22).
  public var outOfOrderStoreSize: UInt32 = 0
  /// Octets at the end of what came that are never acknowledged early: an end that has an acknowledgment for all that it sent knows
  /// that the other one has it.
  public var tailSize: UInt32 = 0
  /// SlowStartThreshold, octets, when a connection begins. `UInt32.max`: none.
  public var slowStartThreshold: UInt32 = .max
  /// InitialCongestionWindow, segments of full size. 0: by RFC 6928.
  public var initialCongestionWindow: UInt16 = 0
  /// What remains of the congestion window after a loss, in 1/1024 (R38: 768 is three quarters). 0: what the algorithm says.
  public var keepFactor: UInt16 = 0
  /// How fast the congestion window grows without losses, in 1/1024 of what the algorithm says (R38).
  public var additiveIncrease: UInt16 = 1024
  /// DupAckThreshold: duplicate acknowledgments after which a segment counts as lost (R34).
  public var duplicateAcknowledgmentThreshold: UInt8 = 3
  /// Timeouts in a row after which both ends are reset (R33). The receiver's life shows in its acknowledgments, so this is for
  /// one that says nothing at all. RFC 9293, section 3.8.3, wants at least 100 seconds.
  public var maximumTimeouts: UInt8 = 15
  /// The share in the memory for payload, beside the other connections that want some (R42). 0: never accelerated.
  public var bufferWeight: UInt8 = 1
  /// The share in the turns on a leg, beside the other connections that have something to send there (R43).
  public var servingWeight: UInt8 = 1
  /// How long an acknowledgment may wait for more to acknowledge.
  public var acknowledgmentDelay = Interval.milliseconds(2)
  /// The round trip to the network's end from which on a connection is accelerated in any case. Below it, only while it loses something or
  /// the guest waits for its processor: else there is nothing to gain, and a copy of each octet to pay. Zero: always.
  public var leastRoundTrip = Interval.milliseconds(1)
  /// Bounds of the retransmission timeout (RFC 6298, section 2.4, would have a second at the least).
  public var minimumTimeout = Interval.milliseconds(200)
  public var maximumTimeout = Interval.seconds(60)

  /// What is changed in headers, whatever the mode.
  public var overrides = HeaderOverrides()

  public init() {}

  /// `mode`, but for a connection that gets no buffer, and so nothing that needs one.
  public var effectiveMode: AccelerationMode { bufferWeight == 0 && mode.keepsCopies ? .off : mode }

  /// What a side that has full recovery goes by.
  public var congestionKnobs: CongestionKnobs {
    var knobs = CongestionKnobs()
    knobs.algorithm = congestionAlgorithm
    knobs.isPaced = isPaced
    knobs.usesHyStart = usesHyStart
    knobs.duplicateThreshold = duplicateAcknowledgmentThreshold
    knobs.initialWindow = initialCongestionWindow
    knobs.keepFactor = keepFactor
    knobs.additiveIncrease = additiveIncrease
    knobs.slowStartThreshold = slowStartThreshold
    knobs.minimumTimeout = minimumTimeout
    knobs.maximumTimeout = maximumTimeout
    return knobs
  }
}
