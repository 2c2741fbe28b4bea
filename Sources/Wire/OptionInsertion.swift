// SPDX-License-Identifier: Apache-2.0

public import Memory

/// Copies a frame and gives its TCP header an option that it does not have.
///
/// The option comes before all others, so those stay as they are, and as they were aligned. Lengths, data offset and checksums are brought
/// up to date (RFC 1624 §3): a checksum that was right stays right, one that was wrong stays wrong. A partial one (VIRTIO_NET_HDR_F_NEEDS_CSUM,
/// virtio 1.3 §5.1.6) is the sum of a pseudo-header in which TCP's length stands.
public enum OptionInsertion {
  /// Octets of the option: its kind, its length and the size (RFC 9293 §3.7.1).
  private static let growth = 4

  /// Writes the frame with a Maximum Segment Size option to the start of `target`.
  ///
  /// - Parameters:
  ///   - frame: the whole frame, of which `layout` and `segment` were parsed.
  ///   - checksumIsPartial: the checksum's field holds the sum of the pseudo-header.
  /// - Returns: the bytes of the new frame; nil, if the segment has such an option already, its options can't be read to their end or leave
  ///   no room in the header, or `target` has none for the frame.
  public static func copy(
    _ frame: ByteRegion, _ layout: FrameLayout, _ segment: TCPSegment, checksumIsPartial: Bool,
    adding maximumSegmentSize: UInt16, into target: ByteRegion
  ) -> Int? {
    let header = segment.headerOffset
    let options = header &+ TCPField.options
    // What lies behind the packet is padding of Ethernet's, into which it may grow.
    let end = segment.payloadOffset &+ segment.payloadCount
    let count = max(frame.count, end &+ growth)
    guard segment.options.kinds.isDisjoint(with: [.maximumSegmentSize, .malformed]),
      segment.payloadOffset &- options <= TCPOptions.maximumLength &- growth, end <= frame.count,
      count <= target.count, hasLength(frame, layout)
    else { return nil }
    target.copy(from: frame.slice(from: 0, count: options))
    let option = maximumSegmentSizeOption(maximumSegmentSize)
    target.storeNetworkOrder(option, at: options)
    target.copy(from: frame.slice(from: options, count: end &- options), at: options &+ growth)
    if count > end &+ growth { target.copy(from: frame.suffix(from: end &+ growth), at: end &+ growth) }

    lengthen(target, layout)
    let control: UInt16 = target.networkOrder(at: header &+ TCPField.control)
    // The data offset is in words, in the four high bits.
    let longer = control &+ 0x1000
    target.storeNetworkOrder(longer, at: header &+ TCPField.control)
    let field = header &+ TCPField.checksum
    let checksum: UInt16 = target.networkOrder(at: field)
    let length = UInt16(truncatingIfNeeded: end &- header)
    guard !checksumIsPartial else {
      // It is not complemented.
      target.storeNetworkOrder(
        ~InternetChecksum.update(~checksum, replacing: length, with: length &+ UInt16(growth)), at: field)
      return count
    }
    var updated = InternetChecksum.update(checksum, replacing: length, with: length &+ UInt16(growth))
    updated = InternetChecksum.update(updated, replacing: control, with: longer)
    updated = InternetChecksum.update(updated, replacing: 0 as UInt32, with: option)
    target.storeNetworkOrder(updated, at: field)
    return count
  }

  /// Kind 2, length 4, then the size.
  static func maximumSegmentSizeOption(_ size: UInt16) -> UInt32 { 0x0204_0000 | UInt32(size) }

  /// Where IPv4's Total Length lies, or IPv6's Payload Length, in which the same octets are counted.
  private static func lengthOffset(_ layout: FrameLayout) -> Int {
    layout.networkOffset &+ (layout.ipVersion == 4 ? 2 : 4)
  }

  /// The length field says it, and could say more: it is 0 for a packet over 64 KiB.
  private static func hasLength(_ frame: ByteRegion, _ layout: FrameLayout) -> Bool {
    (1...Int(UInt16.max) &- growth).contains(Int(frame.networkOrder(UInt16.self, at: lengthOffset(layout))))
  }

  private static func lengthen(_ frame: ByteRegion, _ layout: FrameLayout) {
    let old: UInt16 = frame.networkOrder(at: lengthOffset(layout))
    let new = old &+ UInt16(growth)
    frame.storeNetworkOrder(new, at: lengthOffset(layout))
    guard layout.ipVersion == 4 else { return }
    let field = layout.networkOffset &+ 10
    let checksum: UInt16 = frame.networkOrder(at: field)
    frame.storeNetworkOrder(InternetChecksum.update(checksum, replacing: old, with: new), at: field)
  }
}
