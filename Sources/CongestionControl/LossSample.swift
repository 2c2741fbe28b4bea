// SPDX-License-Identifier: Apache-2.0

/// What is known of a run of octets that is taken for lost (HandleLostPacket of draft-ietf-ccwg-bbr-06, section 5.5.10). Octets; any numbers are safe.
public struct LossSample: BitwiseCopyable, Sendable {
  /// P.size.
  public var octets = 0
  /// C.inflight when they were sent, with them (P.tx_in_flight); nil: not known.
  public var inFlightAtSend: Int?
  /// Lost since they were sent, with them (C.lost - P.lost).
  public var lost = 0
  /// C.delivered, modulo 2^32.
  public var total: UInt32 = 0
  /// They were sent while the sender had no more to send.
  public var isApplicationLimited = false
  /// What lies beside them is not lost: a further range of sequence numbers that is.
  public var beginsRange = true
  /// C.has_selective_acks: more than one loss in a round trip can be told.
  public var hasSelectiveAcknowledgments = true

  public init() {}
}
