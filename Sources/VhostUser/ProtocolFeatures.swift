// SPDX-License-Identifier: Apache-2.0

/// vhost-user protocol features ("Protocol features" in the specification).
public struct ProtocolFeatures: OptionSet, Equatable, Sendable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }
  private init(bit: Int) { rawValue = 1 << UInt64(bit) }

  /// `VHOST_USER_PROTOCOL_F_MQ`
  public static let multiqueue = ProtocolFeatures(bit: 0)
  /// `VHOST_USER_PROTOCOL_F_LOG_SHMFD`
  public static let logSharedMemory = ProtocolFeatures(bit: 1)
  /// `VHOST_USER_PROTOCOL_F_RARP`
  public static let rarp = ProtocolFeatures(bit: 2)
  /// `VHOST_USER_PROTOCOL_F_REPLY_ACK`
  public static let replyAck = ProtocolFeatures(bit: 3)
  /// `VHOST_USER_PROTOCOL_F_MTU`
  public static let mtu = ProtocolFeatures(bit: 4)
  /// `VHOST_USER_PROTOCOL_F_BACKEND_REQ`
  public static let backendRequests = ProtocolFeatures(bit: 5)
  /// `VHOST_USER_PROTOCOL_F_RESET_DEVICE`
  public static let resetDevice = ProtocolFeatures(bit: 13)
  /// `VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS`
  public static let configureMemSlots = ProtocolFeatures(bit: 15)
  /// `VHOST_USER_PROTOCOL_F_STATUS`
  public static let status = ProtocolFeatures(bit: 16)

  /// `VHOST_USER_PROTOCOL_F_DEVICE_STATE`
  public static let deviceState = ProtocolFeatures(bit: 19)

  /// What we offer: exactly what is built. QEMU acknowledges any bit that it has a number for, so nothing may stand
  /// here that is not whole. 0x9a03f.
  public static let offered: ProtocolFeatures = [
    .multiqueue, .logSharedMemory, .rarp, .replyAck, .mtu, .backendRequests, .resetDevice, .configureMemSlots, .status,
    .deviceState,
  ]
}
