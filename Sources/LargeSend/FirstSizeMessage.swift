// SPDX-License-Identifier: Apache-2.0

public import Memory
import Wire

/// What a NIC and its guest's module (`qemu/guest-lso`) say to each other of the first size, in frames that never leave the two
/// (docs/large-send.md has the octets).
///
/// A number that the guest has chosen stands in its question and has to come back in the answer: who is on the network can't know it, and so
/// can't tell the guest anything.
public struct FirstSizeMessage: BitwiseCopyable, Equatable, Sendable {
  public enum Kind: UInt8, BitwiseCopyable, Sendable {
    /// From the guest: which sizes are mine?
    case question = 1
    /// From the NIC: these.
    case announcement = 2
    /// From the guest: these are in force now.
    case report = 3
    /// From the NIC, which does not know the guest's number: ask.
    case invitation = 4
  }

  /// Octets of the frame: the least of Ethernet.
  public static let length = 60

  // "Nearest bridge" group, IEEE 802.1Q table 8-1: no bridge forwards it.
  private static let group: [UInt8] = [0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e]
  private static let source: [UInt8] = [0x02, 0x00, 0x00, 0x00, 0x00, 0x00]
  private static let name: UInt32 = 0x7654_6c73
  private static let version: UInt8 = 1

  public let kind: Kind
  public let nonce: UInt64
  public let sizes: FirstSizes

  public init(kind: Kind, nonce: UInt64, sizes: FirstSizes) {
    self.kind = kind
    self.nonce = nonce
    self.sizes = sizes
  }

  /// - Returns: nil if the frame that begins with these bytes is no such message, or one of another version.
  public init?(decoding frame: ByteRegion) {
    guard frame.count >= Self.length, frame.networkOrder(at: 12) == EtherType.localExperimental1,
      frame.networkOrder(at: 14) == Self.name, frame.load(UInt8.self, at: 18) == Self.version,
      let kind = Kind(rawValue: frame.load(at: 19))
    else { return nil }
    self.kind = kind
    nonce = frame.networkOrder(at: 22)
    let (ipv4, ipv6): (UInt32, UInt32) = (frame.networkOrder(at: 30), frame.networkOrder(at: 34))
    sizes = FirstSizes(ipv4: Int(ipv4), ipv6: Int(ipv6))
  }

  /// Writes the frame, of `length` octets.
  public func encode(into frame: ByteRegion) {
    frame.slice(from: 0, count: Self.length).fill(with: 0)
    frame.copy(from: Self.group)
    frame.copy(from: Self.source, at: 6)
    frame.storeNetworkOrder(EtherType.localExperimental1, at: 12)
    frame.storeNetworkOrder(Self.name, at: 14)
    frame.store(Self.version, at: 18)
    frame.store(kind.rawValue, at: 19)
    frame.storeNetworkOrder(nonce, at: 22)
    frame.storeNetworkOrder(UInt32(truncatingIfNeeded: sizes.ipv4), at: 30)
    frame.storeNetworkOrder(UInt32(truncatingIfNeeded: sizes.ipv6), at: 34)
  }
}
