// SPDX-License-Identifier: Apache-2.0

/// Feature bits of a virtio network device and of the vhost protocol, as in `VHOST_USER_GET_FEATURES`.
public struct VirtioFeatures: OptionSet, Equatable, Sendable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }
  private init(bit: Int) { rawValue = 1 << UInt64(bit) }

  // Network device (virtio 1.3, 5.1.3).

  /// `VIRTIO_NET_F_CSUM`: the guest may leave checksums to us.
  public static let checksum = VirtioFeatures(bit: 0)
  /// `VIRTIO_NET_F_GUEST_CSUM`: we may leave checksums to the guest.
  public static let guestChecksum = VirtioFeatures(bit: 1)
  /// `VIRTIO_NET_F_MTU`
  public static let mtu = VirtioFeatures(bit: 3)
  /// `VIRTIO_NET_F_GUEST_TSO4`
  public static let guestTSO4 = VirtioFeatures(bit: 7)
  /// `VIRTIO_NET_F_GUEST_TSO6`
  public static let guestTSO6 = VirtioFeatures(bit: 8)
  /// `VIRTIO_NET_F_GUEST_ECN`
  public static let guestECN = VirtioFeatures(bit: 9)
  /// `VIRTIO_NET_F_HOST_TSO4`
  public static let hostTSO4 = VirtioFeatures(bit: 11)
  /// `VIRTIO_NET_F_HOST_TSO6`
  public static let hostTSO6 = VirtioFeatures(bit: 12)
  /// `VIRTIO_NET_F_HOST_ECN`
  public static let hostECN = VirtioFeatures(bit: 13)
  /// `VIRTIO_NET_F_MRG_RXBUF`: a frame may take several receive buffers.
  public static let mergeableReceiveBuffers = VirtioFeatures(bit: 15)
  /// `VIRTIO_NET_F_GUEST_ANNOUNCE`
  public static let guestAnnounce = VirtioFeatures(bit: 21)
  /// `VIRTIO_NET_F_MQ`
  public static let multiqueue = VirtioFeatures(bit: 22)
  /// `VIRTIO_NET_F_GUEST_USO4`
  public static let guestUSO4 = VirtioFeatures(bit: 54)
  /// `VIRTIO_NET_F_GUEST_USO6`
  public static let guestUSO6 = VirtioFeatures(bit: 55)
  /// `VIRTIO_NET_F_HOST_USO`
  public static let hostUSO = VirtioFeatures(bit: 56)

  // Any device (virtio 1.3, 6; legacy bits 24 and 27).

  /// `VIRTIO_F_NOTIFY_ON_EMPTY`
  public static let notifyOnEmpty = VirtioFeatures(bit: 24)
  /// `VIRTIO_F_ANY_LAYOUT`
  public static let anyLayout = VirtioFeatures(bit: 27)
  /// `VIRTIO_F_INDIRECT_DESC`
  public static let indirectDescriptors = VirtioFeatures(bit: 28)
  /// `VIRTIO_F_EVENT_IDX`
  public static let eventIndex = VirtioFeatures(bit: 29)
  /// `VIRTIO_F_VERSION_1`
  public static let version1 = VirtioFeatures(bit: 32)
  /// `VIRTIO_F_RING_PACKED`
  public static let packedRing = VirtioFeatures(bit: 34)
  /// `VIRTIO_F_IN_ORDER`
  public static let inOrder = VirtioFeatures(bit: 35)

  // The vhost protocol's own.

  /// `VHOST_F_LOG_ALL`: writes to buffers are marked in the dirty log.
  public static let logAll = VirtioFeatures(bit: 26)
  /// `VHOST_USER_F_PROTOCOL_FEATURES`
  public static let protocolFeatures = VirtioFeatures(bit: 30)
}
