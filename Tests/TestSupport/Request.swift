// SPDX-License-Identifier: Apache-2.0

/// The front-end's requests by number (vhost-user, "Front-end message types").
public enum Request: UInt32, CaseIterable, Sendable {
  case getFeatures = 1
  case setFeatures
  case setOwner
  case resetOwner
  case setMemoryTable
  case setLogBase
  case setLogDescriptor
  case setVringNumber
  case setVringAddress
  case setVringBase
  case getVringBase
  case setVringKick
  case setVringCall
  case setVringError
  case getProtocolFeatures
  case setProtocolFeatures
  case getQueueNumber
  case setVringEnable
  case sendRARP
  case netSetMTU
  case setBackEndChannel
  case iotlb
  case setVringEndian
  case getConfig
  case setConfig
  case createCryptoSession
  case closeCryptoSession
  case postcopyAdvise
  case postcopyListen
  case postcopyEnd
  case getInflight
  case setInflight
  case gpuSetSocket
  case resetDevice
  case vringKick
  case getMaximumMemorySlots
  case addMemoryRegion
  case removeMemoryRegion
  case setStatus
  case getStatus
  case getSharedObject
  case setDeviceState
  case checkDeviceState
  case getSharedMemoryConfig

  /// Requests that carry a vring's index in their first payload octets.
  public static let ofVrings: [Request] = [
    .setVringNumber, .setVringAddress, .setVringBase, .getVringBase, .setVringKick, .setVringCall, .setVringError,
    .setVringEnable,
  ]

  /// Those with a reply of their own, whatever NEED_REPLY says.
  public var hasReply: Bool {
    switch self {
    case .getFeatures, .getProtocolFeatures, .getVringBase, .getQueueNumber, .getConfig, .getMaximumMemorySlots,
      .getStatus, .setLogBase, .getInflight, .setDeviceState, .checkDeviceState, .postcopyAdvise, .postcopyEnd,
      .createCryptoSession, .getSharedObject, .getSharedMemoryConfig:
      return true
    default:
      return false
    }
  }
}
