// SPDX-License-Identifier: Apache-2.0

/// What frames may be handed up with: work left to the guest. The values are the kernel's TUN_F_*.
public struct ReceiveOffloads: OptionSet, Sendable, BitwiseCopyable {
  public let rawValue: UInt32

  @inlinable
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// VIRTIO_NET_F_GUEST_CSUM, TUN_F_CSUM
  public static let checksum = ReceiveOffloads(rawValue: 0x01)
  /// VIRTIO_NET_F_GUEST_TSO4, TUN_F_TSO4
  public static let tso4 = ReceiveOffloads(rawValue: 0x02)
  /// VIRTIO_NET_F_GUEST_TSO6, TUN_F_TSO6
  public static let tso6 = ReceiveOffloads(rawValue: 0x04)
  /// VIRTIO_NET_F_GUEST_ECN, TUN_F_TSO_ECN
  public static let ecn = ReceiveOffloads(rawValue: 0x08)
  /// VIRTIO_NET_F_GUEST_USO4, TUN_F_USO4
  public static let uso4 = ReceiveOffloads(rawValue: 0x20)
  /// VIRTIO_NET_F_GUEST_USO6, TUN_F_USO6
  public static let uso6 = ReceiveOffloads(rawValue: 0x40)

  public static let all: ReceiveOffloads = [.checksum, .tso4, .tso6, .ecn, .uso4, .uso6]

  /// The most of these that the kernel takes: segmentation needs the checksum, ECN needs TCP segmentation, and the two
  /// kinds of UDP segmentation come together or not at all.
  var acceptable: ReceiveOffloads {
    guard contains(.checksum) else { return [] }
    var result = intersection(.all)
    if isDisjoint(with: [.tso4, .tso6]) { result.remove(.ecn) }
    if !isSuperset(of: [.uso4, .uso6]) { result.subtract([.uso4, .uso6]) }
    return result
  }
}
