// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling
import Virtio

extension BackEnd {
  /// Carries out one request. The result is the payload of the reply that the request has by itself, if it has one.
  func carryOut(_ message: inout Message) throws(RequestError) -> [UInt8]? {
    guard let request = FrontEndRequest(rawValue: message.header.request) else { throw .unknown }
    switch request {
    case .getFeatures: return Self.offeredFeatures.rawValue.littleEndianBytes
    case .setFeatures: try setFeatures(message)
    case .setOwner: break
    // Deprecated and never meant the same to any two programs: rings stop being served, nothing is lost.
    case .resetOwner: disableAll()
    case .getProtocolFeatures: return offeredProtocolFeatures.rawValue.littleEndianBytes
    case .setProtocolFeatures: try setProtocolFeatures(message)
    case .getQueueNum: return UInt64(queueLimit).littleEndianBytes
    case .setMemTable: try setMemoryTable(message)
    case .getMaxMemSlots:
      try require(.configureMemSlots)
      return UInt64(GuestMemory.maximumRegions).littleEndianBytes
    case .addMemReg: try addMemoryRegion(message)
    case .remMemReg: try removeMemoryRegion(message)
    case .setLogBase: return try setLogBase(message)
    case .setLogFD: try setLogCall(&message)
    case .setDeviceStateFD: return try setDeviceStateDescriptor(&message)
    case .checkDeviceState: return try checkDeviceState()
    case .setVringNum: try setVringSize(message)
    case .setVringAddr: try setVringAddresses(message)
    case .setVringBase: try setVringBase(message)
    case .getVringBase: return try getVringBase(message)
    case .setVringKick: try setVringKick(&message)
    case .setVringCall: try setVringCall(&message)
    case .setVringErr: try setVringError(&message)
    case .setVringEnable: try setVringEnable(message)
    case .sendRARP: try sendRARP(message)
    case .netSetMTU: try setMTU(message)
    case .setBackendReqFD: try setRequestChannel(&message)
    case .resetDevice: try resetDevice()
    case .setStatus: try setStatus(message)
    case .getStatus:
      try require(.status)
      return UInt64(device.needsReset ? status | Self.needsReset : status).littleEndianBytes
    case .iotlbMessage, .setVringEndian, .getConfig, .setConfig, .createCryptoSession,
      .closeCryptoSession, .postcopyAdvise, .postcopyListen, .postcopyEnd, .getInflightFD, .setInflightFD,
      .gpuSetSocket, .vringKick, .getSharedObject, .getShmemConfig:
      throw .notNegotiated
    }
    return nil
  }

  /// `VIRTIO_CONFIG_S_NEEDS_RESET`: ours to say, not the front-end's. QEMU reads the status, adds a bit and writes it.
  private static let needsReset: UInt8 = 64

  func require(_ feature: ProtocolFeatures) throws(RequestError) {
    guard protocolFeatures.contains(feature) else { throw .notNegotiated }
  }

  private func setFeatures(_ message: Message) throws(RequestError) {
    guard let value = message.u64 else { throw .malformedPayload }
    let wanted = VirtioFeatures(rawValue: value)
    guard wanted.subtracting(Self.offeredFeatures).isEmpty else {
      areFeaturesRefused = true
      throw .refused("features \(hex: wanted.subtracting(Self.offeredFeatures).rawValue) were not offered")
    }
    areFeaturesRefused = false
    let wantedOfDevice = wanted.subtracting(.logAll)
    guard wantedOfDevice == features || !vrings.contains(where: \.isRunning) else {
      throw .refused("features can't change while a vring is running")
    }
    // At any time: a migration begins, or is given up.
    memory.log.setWanted(wanted.contains(.logAll))
    guard wantedOfDevice != features else { return }
    features = wantedOfDevice
    device.negotiated(wantedOfDevice)
  }

  private func setProtocolFeatures(_ message: Message) throws(RequestError) {
    guard let value = message.u64 else { throw .malformedPayload }
    let wanted = ProtocolFeatures(rawValue: value)
    guard wanted.isSubset(of: offeredProtocolFeatures) else {
      throw .refused("protocol features \(hex: wanted.subtracting(offeredProtocolFeatures).rawValue) were not offered")
    }
    protocolFeatures = wanted
  }

  private func sendRARP(_ message: Message) throws(RequestError) {
    try require(.rarp)
    guard let address = message.u64 else { throw .malformedPayload }
    // A guest that announces itself does it better (it knows its addresses): QEMU leaves it to the guest then.
    guard !features.contains(.guestAnnounce) else { return }
    device.announce(macAddress: address)
  }

  private func setMTU(_ message: Message) throws(RequestError) {
    try require(.mtu)
    guard let mtu = message.u64 else { throw .malformedPayload }
    guard (68...65535).contains(mtu), device.accepts(mtu: Int(mtu)) else {
      throw .refused("the uplink can't carry an MTU of \(mtu)")
    }
  }

  private func setRequestChannel(_ message: inout Message) throws(RequestError) {
    try require(.backendRequests)
    guard let channel = message.descriptors.popLast() else { throw .missingDescriptor }
    requestChannel = channel
    keeper?.keep(channel, as: SessionName.requestChannel)
  }

  /// The driver reset the device. Memory, call and error descriptors and protocol features stay: QEMU does not send
  /// them again.
  private func resetDevice() throws(RequestError) {
    try require(.resetDevice)
    for index in vrings.indices where vrings[index].isRunning { _ = stopVring(index) }
    for index in vrings.indices {
      device.forget(vring: index)
      device.setEnabled(vring: index, false)
      let (hasCall, hasError) = (vrings[index].hasCall, vrings[index].hasError)
      vrings[index] = Vring()
      vrings[index].hasCall = hasCall
      vrings[index].hasError = hasError
    }
    status = 0
    features = []
    memory.log.setWanted(false)
    parkedState = nil
    areFeaturesRefused = false
    device.negotiated([])
  }

  private func disableAll() {
    for index in vrings.indices { enable(index, false) }
  }

  /// Remembers the status and refuses `FEATURES_OK` if the features were. Zero does not stop anything: QEMU 7.2 sends
  /// it before it asks for the rings' bases.
  private func setStatus(_ message: Message) throws(RequestError) {
    try require(.status)
    guard let value = message.u64, value <= UInt64(UInt8.max) else { throw .malformedPayload }
    let featuresOK: UInt8 = 8
    status = UInt8(value) & ~Self.needsReset
    if areFeaturesRefused { status &= ~featuresOK }
  }
}
