// SPDX-License-Identifier: Apache-2.0

public import Memory

/// A TCP segment as its headers describe it (RFC 9293 §3.1), with what its IP header says that TCP's user may need.
///
/// Read once from a private copy of the frame's first bytes. Offsets are bytes from the start of the frame.
public struct TCPSegment: BitwiseCopyable, Equatable, Sendable {
  // Whole words as they lie in the headers, of which the properties are parts: a segment is read in a few loads.

  /// The first eight bytes of the IP header.
  @usableFromInline let networkWords: UInt64
  @usableFromInline let ports: UInt32
  /// Data offset, reserved and control bits, then the window.
  @usableFromInline let controlAndWindow: UInt32
  @usableFromInline let headerStart: UInt16
  @usableFromInline let payloadStart: UInt16

  public let sequenceNumber: SequenceNumber
  public let acknowledgmentNumber: SequenceNumber
  public let urgentPointer: UInt16
  /// Time to live (IPv4) or hop limit (IPv6).
  public let hopLimit: UInt8
  public let options: TCPOptions
  /// Bytes of payload, by the length field of the IP header: Ethernet's padding is none of it.
  public let payloadCount: Int

  /// - Parameters:
  ///   - head: a private copy of the frame's first bytes.
  ///   - layout: what was parsed from `head`.
  ///   - frameLength: of the whole frame.
  ///   - isLarge: the frame comes with a request for TCP segmentation. Then a length of 0 in the IP header means that
  ///     the packet is as long as the frame: it is over 64 KiB (Linux's "BIG TCP"; RFC 2675 for IPv6).
  /// - Returns: nil unless it is TCP with a whole header, not a fragment, and of an IP length that ends in the frame and
  ///   not before the payload's start.
  public init?(parsing head: ByteRegion, layout: FrameLayout, frameLength: Int, isLarge: Bool) {
    let payload = layout.payloadOffset
    guard layout.hasTransportHeader, layout.transportProtocol == IPProtocol.tcp else { return nil }
    guard payload <= head.count, payload <= frameLength else { return nil }
    let start = layout.networkOffset
    let isIPv4 = layout.ipVersion == 4
    // Slices of a known length: one check each, none for the fields.
    let network = head.slice(from: start, count: 20)
    let words: UInt64 = network.networkOrder(at: 0)
    // IPv4's length is that of the packet, IPv6's that of what follows the fixed header (RFC 8200 §3).
    var length = Int(truncatingIfNeeded: (isIPv4 ? words &>> 32 : words &>> 16) & 0xffff)
    if length == 0, isLarge { length = frameLength &- start } else if !isIPv4 { length &+= 40 }
    guard length >= payload &- start, length <= frameLength &- start else { return nil }
    networkWords = words
    hopLimit = isIPv4 ? network.load(at: 8) : UInt8(truncatingIfNeeded: words)
    payloadCount = length &- (payload &- start)
    headerStart = layout.transport
    payloadStart = layout.payload
    let header = head.slice(from: layout.transportOffset, count: TCPField.options)
    ports = header.networkOrder(at: TCPField.sourcePort)
    sequenceNumber = SequenceNumber(rawValue: header.networkOrder(at: TCPField.sequenceNumber))
    acknowledgmentNumber = SequenceNumber(rawValue: header.networkOrder(at: TCPField.acknowledgmentNumber))
    controlAndWindow = header.networkOrder(at: TCPField.control)
    urgentPointer = header.networkOrder(at: TCPField.urgentPointer)
    options = TCPOptions(parsing: head, from: layout.transportOffset &+ TCPField.options, to: payload)
  }

  /// Where the TCP header starts.
  @inlinable
  public var headerOffset: Int { Int(headerStart) }
  /// Where the payload starts, or would: behind the options.
  @inlinable
  public var payloadOffset: Int { Int(payloadStart) }

  @inlinable
  public var sourcePort: UInt16 { UInt16(truncatingIfNeeded: ports &>> 16) }
  @inlinable
  public var destinationPort: UInt16 { UInt16(truncatingIfNeeded: ports) }

  @inlinable
  public var flags: TCPFlags { TCPFlags(controlWord: UInt16(truncatingIfNeeded: controlAndWindow &>> 16)) }
  /// The three bits between data offset and control bits.
  @inlinable
  public var reservedBits: UInt8 { UInt8(truncatingIfNeeded: controlAndWindow &>> 25) & 7 }
  /// As it came, without scale (RFC 7323 §2.2).
  @inlinable
  public var window: UInt16 { UInt16(truncatingIfNeeded: controlAndWindow) }

  /// Sequence numbers that the segment takes: its payload, SYN and FIN (RFC 9293 §3.4, SEG.LEN).
  @inlinable
  public var sequenceLength: Int {
    payloadCount &+ (flags.contains(.syn) ? 1 : 0) &+ (flags.contains(.fin) ? 1 : 0)
  }

  /// The number behind all of them. The payload begins at `sequenceNumber`, one later with SYN.
  @inlinable
  public var end: SequenceNumber { sequenceNumber + sequenceLength }
}
