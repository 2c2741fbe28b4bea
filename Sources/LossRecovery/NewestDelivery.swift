// SPDX-License-Identifier: Apache-2.0

internal import Timekeeping
internal import Wire

/// What was sent last of that which one acknowledgment says was delivered.
struct NewestDelivery: BitwiseCopyable, Sendable {
  let sent: Instant
  let end: SequenceNumber
  let mark: DeliveryMark
  let lostUnits: UInt16
  let flags: TransmissionFlags
}
