// SPDX-License-Identifier: Apache-2.0

/// What a front-end says when a migration begins.
extension FrontEnd {
  /// SET_LOG_BASE; returns the number of the reply, which must come. QEMU does not set NEED_REPLY on it.
  @discardableResult
  public func setLogBase(
    size: UInt64, offset: UInt64, descriptors: [Int32], flags: UInt32 = FrontEnd.version
  ) throws -> UInt64? {
    let payload = FrontEnd.octets(size) + FrontEnd.octets(offset)
    try send(Request.setLogBase.rawValue, flags: flags, payload: payload, descriptors: descriptors)
    return try answer(to: .setLogBase).number
  }

  @discardableResult
  public func setLogBase(_ bitmap: DirtyBitmap) throws -> UInt64? {
    try setLogBase(
      size: UInt64(bitmap.size), offset: UInt64(bitmap.offset), descriptors: [bitmap.descriptor.number])
  }

  /// SET_FEATURES with or without VHOST_F_LOG_ALL, acknowledged.
  public func setLogging(_ isOn: Bool) throws {
    let wanted = isOn ? features | Feature.logAll : features & ~Feature.logAll
    try acknowledged(.setFeatures, payload: FrontEnd.octets(wanted))
  }

  /// SET_VRING_ADDR of a vring that runs, with or without VHOST_VRING_F_LOG, acknowledged. `log`: where its used ring is
  /// in the log, if not where it is in memory.
  public func setVringLogging(_ index: UInt32, of queue: DriverQueue, _ isOn: Bool, log: UInt64? = nil) throws {
    let payload = FrontEnd.vringAddress(
      index, flags: isOn ? 1 : 0, descriptors: ram.userAddress(of: queue.descriptorArea),
      used: ram.userAddress(of: queue.deviceArea), available: ram.userAddress(of: queue.driverArea),
      log: log ?? queue.deviceArea)
    try acknowledged(.setVringAddress, payload: payload)
  }

  /// All that QEMU sends when a migration begins, or (`isOn` false) is over.
  public func setLogging(of guest: MockGuest, _ isOn: Bool, bitmap: DirtyBitmap? = nil) throws {
    if let bitmap { try setLogBase(bitmap) }
    try setLogging(isOn)
    for index in 0..<2 * guest.pairs { try setVringLogging(UInt32(index), of: guest.queue(index), isOn) }
  }
}
