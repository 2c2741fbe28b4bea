// SPDX-License-Identifier: Apache-2.0

/// What differs from segment to segment of one direction of a connection: `SegmentTemplate.write` takes it.
public struct SegmentFields: BitwiseCopyable, Equatable, Sendable {
  public var sequenceNumber: SequenceNumber
  /// Written as it is; 0 in a segment without ACK.
  public var acknowledgmentNumber: SequenceNumber
  public var flags: TCPFlags
  /// As it is sent: without its scale's bits.
  public var window: UInt16
  public var urgentPointer: UInt16 = 0
  /// Bytes that follow the header.
  public var payloadCount: Int
  /// None if the connection has none.
  public var timestamps: TCPTimestamps?
  /// As many as fit are written, the first ones: four, or three with timestamps.
  public var sackBlocks = SACKBlocks()
  /// IPv4's identification. Of no meaning with DF, but middleboxes look (RFC 6864 §4).
  public var identification: UInt16 = 0
  public var ecnCodepoint = ECNCodepoint.notCapable

  public init(
    sequenceNumber: SequenceNumber, acknowledgmentNumber: SequenceNumber, flags: TCPFlags, window: UInt16,
    payloadCount: Int = 0, timestamps: TCPTimestamps? = nil
  ) {
    self.sequenceNumber = sequenceNumber
    self.acknowledgmentNumber = acknowledgmentNumber
    self.flags = flags
    self.window = window
    self.payloadCount = payloadCount
    self.timestamps = timestamps
  }
}
