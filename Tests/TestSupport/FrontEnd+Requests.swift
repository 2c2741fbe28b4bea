// SPDX-License-Identifier: Apache-2.0
import Glibc

extension FrontEnd {
  public typealias Region = GuestRAM.Region

  /// Sends `request`; with REPLY_ACK negotiated asks for an acknowledgement, and throws if it says other than 0.
  public func acknowledged(_ request: Request, payload: [UInt8] = [], descriptors: [Int32] = []) throws {
    guard protocolFeatures & ProtocolFeature.replyAck != 0 else {
      return try send(request.rawValue, payload: payload, descriptors: descriptors)
    }
    let answer = try acknowledgement(request, payload: payload, descriptors: descriptors)
    guard answer == 0 else { throw TestFailure("\(request) was refused with \(answer)") }
  }

  /// Sends `request` with NEED_REPLY and returns the acknowledgement's number.
  public func acknowledgement(
    _ request: Request, payload: [UInt8] = [], descriptors: [Int32] = []
  ) throws -> UInt64 {
    try send(
      request.rawValue, flags: FrontEnd.version | FrontEnd.needReply, payload: payload, descriptors: descriptors)
    return try number(of: request)
  }

  /// Sends a request that has a reply of its own, and returns the u64 in it.
  public func ask(_ request: Request, payload: [UInt8] = []) throws -> UInt64 {
    try send(request.rawValue, payload: payload)
    return try number(of: request)
  }

  private func number(of request: Request) throws -> UInt64 {
    let reply = try answer(to: request)
    guard let number = reply.number else { throw TestFailure("\(request) answered with \(reply.payload.count) octets") }
    return number
  }

  /// The next message, which must be the reply to `request`.
  public func answer(to request: Request) throws -> Message {
    let reply = try receive()
    guard reply.request == request.rawValue, reply.flags == FrontEnd.version | FrontEnd.reply else {
      throw TestFailure("\(request) answered by request \(reply.request), flags \(reply.flags)")
    }
    return reply
  }

  public func getFeatures() throws -> UInt64 { try ask(.getFeatures) }
  public func getProtocolFeatures() throws -> UInt64 { try ask(.getProtocolFeatures) }
  public func getQueueNumber() throws -> UInt64 { try ask(.getQueueNumber) }
  public func getMaximumMemorySlots() throws -> UInt64 { try ask(.getMaximumMemorySlots) }
  public func getStatus() throws -> UInt64 { try ask(.getStatus) }

  public func setFeatures(_ features: UInt64) throws {
    self.features = features
    try send(Request.setFeatures.rawValue, payload: FrontEnd.octets(features))
  }

  public func setProtocolFeatures(_ features: UInt64) throws {
    protocolFeatures = features
    try send(Request.setProtocolFeatures.rawValue, payload: FrontEnd.octets(features))
  }

  public func setStatus(_ status: UInt64) throws {
    try send(Request.setStatus.rawValue, payload: FrontEnd.octets(status))
  }

  public func setOwner() throws { try send(Request.setOwner.rawValue) }
  public func resetOwner() throws { try send(Request.resetOwner.rawValue) }
  public func resetDevice() throws { try send(Request.resetDevice.rawValue) }

  public func setMTU(_ mtu: UInt64) throws -> UInt64 {
    try acknowledgement(.netSetMTU, payload: FrontEnd.octets(mtu))
  }

  /// SEND_RARP: the address is in the first six octets.
  public func sendRARP(_ address: [UInt8]) throws {
    try acknowledged(.sendRARP, payload: address + [0, 0])
  }

  public func setBackEndChannel() throws {
    let (ours, theirs) = try Descriptor.socketPair(Int32(SOCK_STREAM.rawValue))
    backEndChannel = ours
    try acknowledged(.setBackEndChannel, descriptors: [theirs.number])
  }

  // MARK: Memory

  static func octets(of region: Region) -> [UInt8] {
    octets(region.guestAddress) + octets(region.size) + octets(region.userAddress) + octets(region.offset)
  }

  /// SET_MEM_TABLE's payload: the count and padding, then the regions.
  public static func memoryTable(_ regions: [Region], count: UInt32? = nil) -> [UInt8] {
    octets(count ?? UInt32(regions.count)) + octets(UInt32(0)) + regions.flatMap { octets(of: $0) }
  }

  /// ADD_MEM_REG's and REM_MEM_REG's payload: padding, then the region.
  public static func memoryRegion(_ region: Region) -> [UInt8] {
    octets(UInt64(0)) + octets(of: region)
  }

  public func setMemoryTable(_ regions: [Region]? = nil) throws {
    let regions = regions ?? ram.regions
    try acknowledged(
      .setMemoryTable, payload: FrontEnd.memoryTable(regions),
      descriptors: regions.map { _ in ram.descriptor.number })
  }

  public func addMemoryRegion(_ region: Region) throws {
    try acknowledged(
      .addMemoryRegion, payload: FrontEnd.memoryRegion(region), descriptors: [ram.descriptor.number])
  }

  public func removeMemoryRegion(_ region: Region) throws {
    try acknowledged(.removeMemoryRegion, payload: FrontEnd.memoryRegion(region))
  }

  // MARK: Vrings

  /// The vring state payload: an index and a number.
  public static func vringState(_ index: UInt32, _ number: UInt32) -> [UInt8] {
    octets(index) + octets(number)
  }

  public func setVringNumber(_ index: UInt32, _ number: UInt32) throws {
    try send(Request.setVringNumber.rawValue, payload: FrontEnd.vringState(index, number))
  }

  public func setVringBase(_ index: UInt32, _ base: UInt32) throws {
    try send(Request.setVringBase.rawValue, payload: FrontEnd.vringState(index, base))
  }

  /// GET_VRING_BASE: stops the vring and returns where it stands.
  public func getVringBase(_ index: UInt32) throws -> UInt32 {
    try send(Request.getVringBase.rawValue, payload: FrontEnd.vringState(index, 0))
    let reply = try answer(to: .getVringBase)
    guard reply.payload.count == 8, FrontEnd.number(reply.payload[0...]) == index else {
      throw TestFailure("GET_VRING_BASE \(index) answered \(reply.payload)")
    }
    return FrontEnd.number(reply.payload[4...])
  }

  public func setVringEnable(_ index: UInt32, _ isEnabled: Bool) throws {
    try acknowledged(.setVringEnable, payload: FrontEnd.vringState(index, isEnabled ? 1 : 0))
  }

  /// SET_VRING_ADDR's payload; the addresses are user addresses.
  public static func vringAddress(
    _ index: UInt32, flags: UInt32 = 0, descriptors: UInt64, used: UInt64, available: UInt64, log: UInt64 = 0
  ) -> [UInt8] {
    octets(index) + octets(flags) + octets(descriptors) + octets(used) + octets(available) + octets(log)
  }

  public func setVringAddress(_ index: UInt32, of queue: DriverQueue) throws {
    let payload = FrontEnd.vringAddress(
      index, descriptors: ram.userAddress(of: queue.descriptorArea), used: ram.userAddress(of: queue.deviceArea),
      available: ram.userAddress(of: queue.driverArea), log: queue.deviceArea)
    try send(Request.setVringAddress.rawValue, payload: payload)
  }

  /// SET_VRING_KICK, _CALL or _ERR; without an event the no-descriptor bit 8 is set.
  public func setVringEvent(_ request: Request, _ index: UInt32, _ event: Event?) throws {
    let payload = FrontEnd.octets(UInt64(index) | (event == nil ? 0x100 : 0))
    try send(request.rawValue, payload: payload, descriptors: event.map { [$0.number] } ?? [])
  }
}
