// SPDX-License-Identifier: Apache-2.0

public import Memory

/// One end of a connection: an IP address and a TCP port.
///
/// The address is a number whose most significant octet is the first on the wire. An IPv4 address is in `addressLow`'s low
/// 32 bits, the rest is 0; which version it is of is said elsewhere (`FrameLayout`, `SegmentTemplate`).
public struct Endpoint: BitwiseCopyable, Hashable, Sendable {
  public var addressHigh: UInt64
  public var addressLow: UInt64
  public var port: UInt16

  @inlinable
  public init(addressHigh: UInt64, addressLow: UInt64, port: UInt16) {
    self.addressHigh = addressHigh
    self.addressLow = addressLow
    self.port = port
  }

  /// Where the segment comes from.
  /// - Parameters:
  ///   - head: the bytes from which `layout` and `segment` were parsed.
  public init(sourceOf segment: TCPSegment, in head: ByteRegion, _ layout: FrameLayout) {
    let offset = layout.networkOffset &+ (layout.ipVersion == 4 ? 12 : 8)
    self.init(head, addressAt: offset, isIPv4: layout.ipVersion == 4, port: segment.sourcePort)
  }

  /// Where the segment goes: the final destination, where an IPv6 routing header names one
  /// (`FrameLayout.finalDestinationOffset`).
  public init(destinationOf segment: TCPSegment, in head: ByteRegion, _ layout: FrameLayout) {
    let isIPv4 = layout.ipVersion == 4
    let final = layout.finalDestinationOffset
    let offset = final != 0 ? final : layout.networkOffset &+ (isIPv4 ? 16 : 24)
    self.init(head, addressAt: offset, isIPv4: isIPv4, port: segment.destinationPort)
  }

  private init(_ head: ByteRegion, addressAt offset: Int, isIPv4: Bool, port: UInt16) {
    if isIPv4 {
      addressHigh = 0
      addressLow = UInt64(head.networkOrder(UInt32.self, at: offset))
    } else {
      addressHigh = head.networkOrder(at: offset)
      addressLow = head.networkOrder(at: offset &+ 8)
    }
    self.port = port
  }
}
