// SPDX-License-Identifier: Apache-2.0

extension FrontEnd {
  /// Whose order of messages to follow.
  public enum Flavour: String, Sendable, CaseIterable {
    /// ADD_MEM_REG for each region, STATUS, ENABLE before and after the ring is set up.
    case qemu10
    /// SET_MEM_TABLE, no STATUS.
    case qemu7
  }

  /// The first messages after connecting, up to SET_OWNER; offers what `flavour` knows of what the back-end has.
  public func negotiate(
    _ flavour: Flavour = .qemu10, protocolFeatures wanted: UInt64? = nil
  ) throws {
    let offered = try getFeatures()
    guard offered & Feature.protocolFeatures != 0 else { return try setOwner() }
    let known = wanted ?? (flavour == .qemu7 ? 0x1f & ~(1 << 4) : ProtocolFeature.offered)
    try setProtocolFeatures(try getProtocolFeatures() & known)
    if protocolFeatures & ProtocolFeature.multiQueue != 0 { _ = try getQueueNumber() }
    if protocolFeatures & ProtocolFeature.memorySlots != 0 { _ = try getMaximumMemorySlots() }
    if protocolFeatures & ProtocolFeature.backEndChannel != 0 { try setBackEndChannel() }
    try setOwner()
    _ = try getFeatures()
  }

  /// SET_FEATURES, STATUS and the memory: what a driver's DRIVER_OK makes QEMU do before the rings.
  public func prepare(features: UInt64) throws {
    try setFeatures(features)
    if protocolFeatures & ProtocolFeature.status != 0 {
      _ = try getStatus()
      try setStatus(0x8)
    }
    if protocolFeatures & ProtocolFeature.memorySlots != 0 {
      for region in ram.regions { try addMemoryRegion(region) }
    } else {
      try setMemoryTable()
    }
  }

  /// The messages that start one vring, in QEMU's order: NUM, BASE, ADDR, KICK, CALL, ERR.
  public func startVring(_ index: UInt32, _ queue: DriverQueue, base: UInt32? = nil) throws {
    try setVringNumber(index, UInt32(queue.options.size))
    // QEMU starts a packed ring at index 0 with both wrap counters 1, which it writes as 0x80008000.
    try setVringBase(index, base ?? queue.base)
    try setVringAddress(index, of: queue)
    try setVringEvent(.setVringKick, index, queue.kick)
    try setVringEvent(.setVringCall, index, queue.call)
    try setVringEvent(.setVringError, index, queue.error)
  }

  /// DRIVER_OK and ENABLE for `indices`, after their `startVring`.
  public func enable(_ indices: Range<UInt32>) throws {
    if protocolFeatures & ProtocolFeature.status != 0 {
      _ = try getStatus()
      try setStatus(0xf)
    }
    guard features & Feature.protocolFeatures != 0 else { return }
    for index in indices { try setVringEnable(index, true) }
  }
}
