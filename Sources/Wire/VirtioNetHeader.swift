// SPDX-License-Identifier: Apache-2.0

public import Memory

/// `struct virtio_net_hdr`, virtio 1.3 §5.1.6: what the sender of a frame asks of whoever sends it on.
///
///     offset  0      1         2        4         6           8            (10)
///             flags  gso_type  hdr_len  gso_size  csum_start  csum_offset  (num_buffers)
///
/// Little-endian. A TAP device and a packet socket carry the first ten bytes; a virtqueue carries twelve. Any bytes
/// decode; whether they make sense for a frame is decided elsewhere (`LargeSend.OffloadCheck`).
public struct VirtioNetHeader: BitwiseCopyable, Equatable, Sendable {
  /// Bytes in front of a frame at an uplink.
  public static let length = 10
  /// Bytes in front of a frame in a virtqueue of a modern device, with `num_buffers`.
  public static let lengthWithBufferCount = 12

  /// `flags`, §5.1.6.
  public struct Flags: OptionSet, BitwiseCopyable, Sendable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// VIRTIO_NET_HDR_F_NEEDS_CSUM: the checksum field holds the pseudo-header's sum only.
    @inlinable
    public static var needsChecksum: Flags { Flags(rawValue: 1) }
    /// VIRTIO_NET_HDR_F_DATA_VALID: the checksum was verified.
    @inlinable
    public static var dataValid: Flags { Flags(rawValue: 2) }
  }

  /// `gso_type` without its ECN bit, §5.1.6. Values that are not named here are kept as they came.
  public struct GSOType: RawRepresentable, BitwiseCopyable, Equatable, Sendable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable
    public static var none: GSOType { GSOType(rawValue: 0) }
    @inlinable
    public static var tcpv4: GSOType { GSOType(rawValue: 1) }
    /// VIRTIO_NET_HDR_GSO_UDP: fragmentation of one datagram (UFO).
    @inlinable
    public static var udp: GSOType { GSOType(rawValue: 3) }
    @inlinable
    public static var tcpv6: GSOType { GSOType(rawValue: 4) }
    /// VIRTIO_NET_HDR_GSO_UDP_L4: many datagrams of one size (USO), over IPv4 or IPv6.
    @inlinable
    public static var udpL4: GSOType { GSOType(rawValue: 5) }
  }

  /// VIRTIO_NET_HDR_GSO_ECN: a bit of `gso_type`; the TCP segment has CWR set.
  public static let ecnBit: UInt8 = 0x80

  public var flags: Flags
  /// `gso_type` as carried, ECN bit and all.
  public var rawGSOType: UInt8
  /// `hdr_len`: a hint that nothing may rely on (§5.1.6.2).
  public var headerLength: UInt16
  /// `gso_size`: bytes of payload of every segment but the last.
  public var gsoSize: UInt16
  /// `csum_start`: where summing starts, from the start of the frame.
  public var checksumStart: UInt16
  /// `csum_offset`: where the checksum field is, from `checksumStart`.
  public var checksumOffset: UInt16

  /// A header that asks for nothing.
  @inlinable
  public init() {
    flags = []
    rawGSOType = 0
    headerLength = 0
    gsoSize = 0
    checksumStart = 0
    checksumOffset = 0
  }

  /// Decodes the first ten of `bytes`, which must hold as many: a private copy, never live guest memory.
  @inlinable
  public init(decoding bytes: ByteRegion) {
    flags = Flags(rawValue: bytes.load(at: 0))
    rawGSOType = bytes.load(at: 1)
    headerLength = UInt16(littleEndian: bytes.load(at: 2))
    gsoSize = UInt16(littleEndian: bytes.load(at: 4))
    checksumStart = UInt16(littleEndian: bytes.load(at: 6))
    checksumOffset = UInt16(littleEndian: bytes.load(at: 8))
  }

  /// Writes ten bytes. `num_buffers`, where there is one, is the writer's.
  @inlinable
  public func encode(into bytes: ByteRegion) {
    bytes.store(flags.rawValue, at: 0)
    bytes.store(rawGSOType, at: 1)
    bytes.store(headerLength.littleEndian, at: 2)
    bytes.store(gsoSize.littleEndian, at: 4)
    bytes.store(checksumStart.littleEndian, at: 6)
    bytes.store(checksumOffset.littleEndian, at: 8)
  }

  @inlinable
  public var gsoType: GSOType { GSOType(rawValue: rawGSOType & ~Self.ecnBit) }

  @inlinable
  public var hasECN: Bool { rawGSOType & Self.ecnBit != 0 }

  @inlinable
  public var needsChecksum: Bool { flags.contains(.needsChecksum) }

  /// Whether segmentation is asked for, of whatever type.
  @inlinable
  public var needsSegmentation: Bool { rawGSOType != 0 }
}
