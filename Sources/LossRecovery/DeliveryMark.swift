// SPDX-License-Identifier: Apache-2.0

/// What a `Transmission` remembers of the connection as it was when it was sent, for the rate sample of its acknowledgment
/// (draft-cheng-iccrg-delivery-rate-estimation-00, section 3.1.2). Only with `TransmissionFlags.rated`.
struct DeliveryMark: BitwiseCopyable, Sendable, Equatable {
  /// P.delivered, modulo 2^32.
  var delivered: UInt32 = 0
  /// How long before they were sent P.delivered_time and P.first_sent_time lay: microseconds, rounded up, so that no rate is more than it was. They
  /// stay at the longest, an hour.
  var sinceDelivered: UInt32 = 0
  var sinceFirstSent: UInt32 = 0
}
