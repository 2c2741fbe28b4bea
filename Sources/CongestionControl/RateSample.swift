// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// What one acknowledgment shows of the rate at which the path delivers: rs of draft-cheng-iccrg-delivery-rate-estimation-00, section 3.1.3, and of
/// draft-ietf-ccwg-bbr-06, section 2.3. Octets; any numbers are safe.
public struct RateSample: BitwiseCopyable, Sendable {
  /// rs.delivered and rs.interval: so much was delivered in such a time. No interval: it does not tell.
  public var delivered = 0
  public var interval = Interval.zero
  /// C.delivered, modulo 2^32: when the newest that is delivered now was sent (rs.prior_delivered), and now.
  public var priorTotal: UInt32 = 0
  public var total: UInt32 = 0
  /// It was sent while the sender had no more to send: the path may carry more.
  public var isApplicationLimited = false
  /// The round trip that the acknowledgment shows, if it does.
  public var roundTrip: Interval?
  /// By this acknowledgment, cumulative or selective.
  public var newlyDelivered = 0
  public var newlyLost = 0
  /// RS.tx_in_flight and RS.lost: what was in flight when the newest that is delivered now was sent, with it, and what was taken for lost since. No
  /// number: it is not known.
  public var inFlightAtSend: Int?
  public var lost = 0
  /// C.has_selective_acks.
  public var hasSelectiveAcknowledgments = true
  /// In the network, before the acknowledgment and after it.
  public var priorInFlight = 0
  public var inFlight = 0

  public init() {}
}
