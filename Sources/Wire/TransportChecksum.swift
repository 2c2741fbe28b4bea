// SPDX-License-Identifier: Apache-2.0

public import Memory

/// Verifies the checksum of a TCP segment (RFC 9293 §3.1, RFC 8200 §8.1) whose payload lies in pieces.
///
///     var checksum = TransportChecksum(head, layout, segment)
///     checksum.add(head.suffix(from: segment.payloadOffset))
///     checksum.add(piece) ...
///     guard checksum.isValid
///
/// Pieces are private copies: what a guest may change meanwhile says nothing once it was summed. Not for partial checksums,
/// which have nothing to verify.
public struct TransportChecksum: BitwiseCopyable, Sendable {
  private var sum = InternetChecksum()
  private var missing: Int
  private let hasDestination: Bool

  /// Sums the pseudo-header and the TCP header.
  /// - Parameters:
  ///   - head: the bytes from which `layout` and `segment` were parsed.
  public init(_ head: ByteRegion, _ layout: FrameLayout, _ segment: TCPSegment) {
    missing = segment.payloadCount
    hasDestination = layout.finalDestinationOffset != 0
    guard hasDestination else { return }
    let isIPv4 = layout.ipVersion == 4
    let addressLength = isIPv4 ? 4 : 16
    let headerLength = segment.payloadOffset &- segment.headerOffset
    sum.addPseudoHeader(
      source: head.slice(from: layout.networkOffset &+ (isIPv4 ? 12 : 8), count: addressLength),
      destination: head.slice(from: layout.finalDestinationOffset, count: addressLength),
      transportProtocol: IPProtocol.tcp, length: UInt32(truncatingIfNeeded: headerLength &+ segment.payloadCount))
    sum.add(head.slice(from: segment.headerOffset, count: headerLength))
  }

  /// Adds the next bytes of the payload. What is behind its end (Ethernet's padding) is left out.
  public mutating func add(_ piece: ByteRegion) {
    let count = min(piece.count, missing)
    sum.add(piece.slice(from: 0, count: count))
    missing &-= count
  }

  /// Bytes of payload that were not added yet.
  public var missingCount: Int { missing }

  /// Whether the whole payload was added and the checksum is right. Never true of a packet whose final destination
  /// is not known (`FrameLayout.finalDestinationOffset`).
  public var isValid: Bool { hasDestination && missing == 0 && sum.checksum == 0 }
}
