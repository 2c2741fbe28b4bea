// SPDX-License-Identifier: Apache-2.0

/// Virtio feature bits as masks (virtio 1.3, 5.1.3 and 6; vhost-user).
public enum Feature {
  public static let csum: UInt64 = 1 << 0
  public static let guestCsum: UInt64 = 1 << 1
  public static let mtu: UInt64 = 1 << 3
  public static let guestTSO4: UInt64 = 1 << 7
  public static let guestTSO6: UInt64 = 1 << 8
  public static let guestECN: UInt64 = 1 << 9
  public static let hostTSO4: UInt64 = 1 << 11
  public static let hostTSO6: UInt64 = 1 << 12
  public static let hostECN: UInt64 = 1 << 13
  public static let mergeableBuffers: UInt64 = 1 << 15
  public static let guestAnnounce: UInt64 = 1 << 21
  public static let multiQueue: UInt64 = 1 << 22
  public static let notifyOnEmpty: UInt64 = 1 << 24
  public static let logAll: UInt64 = 1 << 26
  public static let anyLayout: UInt64 = 1 << 27
  public static let indirect: UInt64 = 1 << 28
  public static let eventIndex: UInt64 = 1 << 29
  public static let protocolFeatures: UInt64 = 1 << 30
  public static let version1: UInt64 = 1 << 32
  public static let packed: UInt64 = 1 << 34
  public static let inOrder: UInt64 = 1 << 35
  public static let guestUSO4: UInt64 = 1 << 54
  public static let guestUSO6: UInt64 = 1 << 55
  public static let hostUSO: UInt64 = 1 << 56

  /// Everything a back-end of this version offers.
  public static let offered: UInt64 =
    csum | guestCsum | mtu | guestTSO4 | guestTSO6 | guestECN | hostTSO4 | hostTSO6 | hostECN | mergeableBuffers
    | guestAnnounce | multiQueue | notifyOnEmpty | logAll | anyLayout | indirect | eventIndex | protocolFeatures
    | version1
    | packed | inOrder | guestUSO4 | guestUSO6 | hostUSO
}

/// Protocol feature bits as masks (vhost-user, "Protocol features").
public enum ProtocolFeature {
  public static let multiQueue: UInt64 = 1 << 0
  public static let logSharedMemory: UInt64 = 1 << 1
  public static let rarp: UInt64 = 1 << 2
  public static let replyAck: UInt64 = 1 << 3
  public static let mtu: UInt64 = 1 << 4
  public static let backEndChannel: UInt64 = 1 << 5
  public static let resetDevice: UInt64 = 1 << 13
  public static let memorySlots: UInt64 = 1 << 15
  public static let status: UInt64 = 1 << 16

  public static let deviceState: UInt64 = 1 << 19

  /// Everything a back-end of this version offers.
  public static let offered: UInt64 =
    deviceState | multiQueue | logSharedMemory | rarp | replyAck | mtu | backEndChannel | resetDevice | memorySlots
    | status
}
