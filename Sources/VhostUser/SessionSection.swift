// SPDX-License-Identifier: Apache-2.0

import Memory
import Virtio

/// The place in the state memory where a `Session` lies for our successor: of fixed layout (docs/keeping.md), little-endian, and nothing
/// in it is an address of ours.
///
/// It counts only while it says that it is whole: a process can be killed at any instruction, and so it says that it is *changing* from
/// before the first octet of a message is taken until all that follows from the message was done. What is read is compared with
/// what can be; who wrote it may have been another version, or broken.
struct SessionSection {
  /// Whether there is a session.
  enum State: UInt32 {
    case none = 0
    case whole = 1
    /// A message was being carried out, or the manager lacked something.
    case changing = 2
  }

  static let version: UInt32 = 1
  private static let vringsOffset = 128
  private static let vringBytes = 64
  private static let regionBytes = 40

  private let memory: ByteRegion
  private let words: SharedRegion
  private let vringCount: Int

  /// Bytes that are needed for so many vrings.
  static func byteCount(vringCount: Int) -> Int {
    vringsOffset + vringCount * vringBytes + GuestMemory.maximumRegions
      * (regionBytes + MemoryRegionDescription.byteCount)
  }

  /// - Parameter memory: `byteCount` bytes, aligned to 8; all zero: there was never a session.
  init(over memory: ByteRegion, vringCount: Int) {
    self.memory = memory
    words = SharedRegion(memory)
    self.vringCount = vringCount
  }

  /// Anything unknown counts as changing: not to be believed.
  var state: State {
    guard words.load32(at: 0) == Self.version else { return words.load32(at: 0) == 0 ? .none : .changing }
    return State(rawValue: words.loadAcquire32(at: 4)) ?? .changing
  }

  func set(_ state: State) {
    words.store32(Self.version, at: 0)
    // What is written to the section later may not be seen before a successor sees this, nor this before what was written earlier.
    words.storeRelease32(state.rawValue, at: 4)
    keepOrder()
  }

  /// How often a process has gone on with a session that another one had.
  var resumedCount: UInt64 { memory.load(at: 56) }

  func countResumption() { memory.store(resumedCount &+ 1, at: 56) }

  /// While `state` is `changing`.
  func write(_ session: Session) {
    memory.store(session.features.rawValue, at: 8)
    memory.store(session.protocolFeatures.rawValue, at: 16)
    memory.store(flags(of: session), at: 24)
    memory.store(UInt32(truncatingIfNeeded: session.regions.count), at: 28)
    memory.store(UInt32(truncatingIfNeeded: session.removed.count), at: 32)
    memory.store(UInt32(truncatingIfNeeded: session.vrings.count), at: 36)
    memory.store(session.log?.size ?? 0, at: 40)
    memory.store(session.log?.offset ?? 0, at: 48)
    for (index, vring) in session.vrings.enumerated() { write(vring, at: vringOffset(index)) }
    for (index, region) in session.regions.enumerated() {
      let offset = regionOffset(index)
      region.description.encode(into: memory, at: offset)
      memory.store(UInt64(truncatingIfNeeded: region.slot), at: offset + MemoryRegionDescription.byteCount)
    }
    for (index, region) in session.removed.enumerated() { region.encode(into: memory, at: removedOffset(index)) }
  }

  /// The session; nil: it makes no sense.
  func read() -> Session? {
    let flags = memory.load(UInt32.self, at: 24)
    let regionCount = Int(memory.load(UInt32.self, at: 28))
    let removedCount = Int(memory.load(UInt32.self, at: 32))
    guard regionCount <= GuestMemory.maximumRegions, removedCount <= GuestMemory.maximumRegions,
      Int(memory.load(UInt32.self, at: 36)) == vringCount, flags & ~Self.knownFlags == 0
    else { return nil }
    var session = Session(vrings: [])
    session.features = VirtioFeatures(rawValue: memory.load(at: 8))
    session.protocolFeatures = ProtocolFeatures(rawValue: memory.load(at: 16))
    session.status = UInt8(truncatingIfNeeded: flags)
    session.areFeaturesRefused = flags & Self.refusedFlag != 0
    session.hasRequestChannel = flags & Self.channelFlag != 0
    session.hasLogCall = flags & Self.logCallFlag != 0
    if flags & Self.logFlag != 0 { session.log = .init(size: memory.load(at: 40), offset: memory.load(at: 48)) }
    for index in 0..<vringCount {
      guard let vring = readVring(index) else { return nil }
      session.vrings.append(vring)
    }
    for index in 0..<regionCount {
      let offset = regionOffset(index)
      let slot = memory.load(UInt64.self, at: offset + MemoryRegionDescription.byteCount)
      guard slot < UInt64(GuestMemory.maximumRegions) else { return nil }
      session.regions.append(.init(description: .init(decoding: memory, at: offset), slot: Int(slot)))
    }
    for index in 0..<removedCount { session.removed.append(.init(decoding: memory, at: removedOffset(index))) }
    return session
  }

  // MARK: - Flags

  /// Above the status.
  private static let refusedFlag: UInt32 = 1 << 8
  private static let channelFlag: UInt32 = 1 << 9
  private static let logFlag: UInt32 = 1 << 10
  private static let logCallFlag: UInt32 = 1 << 11
  private static let knownFlags: UInt32 = 0xfff

  private func flags(of session: Session) -> UInt32 {
    UInt32(session.status) | (session.areFeaturesRefused ? Self.refusedFlag : 0)
      | (session.hasRequestChannel ? Self.channelFlag : 0) | (session.log != nil ? Self.logFlag : 0)
      | (session.hasLogCall ? Self.logCallFlag : 0)
  }

  // MARK: - Vrings

  private struct VringFlags: OptionSet {
    let rawValue: UInt16
    static let enabled = VringFlags(rawValue: 1)
    static let running = VringFlags(rawValue: 2)
    static let draining = VringFlags(rawValue: 4)
    static let addresses = VringFlags(rawValue: 8)
    static let log = VringFlags(rawValue: 16)
    static let kick = VringFlags(rawValue: 32)
    static let call = VringFlags(rawValue: 64)
    static let error = VringFlags(rawValue: 128)
  }

  private func write(_ vring: Vring, at offset: Int) {
    var flags: VringFlags = []
    if vring.isEnabled { flags.insert(.enabled) }
    if vring.isRunning { flags.insert(.running) }
    if vring.isDraining { flags.insert(.draining) }
    if vring.addresses != nil { flags.insert(.addresses) }
    if vring.addresses?.log != nil { flags.insert(.log) }
    if vring.hasKick { flags.insert(.kick) }
    if vring.hasCall { flags.insert(.call) }
    if vring.hasError { flags.insert(.error) }
    memory.store(vring.size, at: offset)
    memory.store(flags.rawValue, at: offset + 2)
    memory.store(vring.base, at: offset + 4)
    memory.store(vring.addresses?.descriptors ?? 0, at: offset + 8)
    memory.store(vring.addresses?.device ?? 0, at: offset + 16)
    memory.store(vring.addresses?.driver ?? 0, at: offset + 24)
    memory.store(vring.addresses?.log ?? 0, at: offset + 32)
  }

  private func readVring(_ index: Int) -> Vring? {
    let offset = vringOffset(index)
    let flags = VringFlags(rawValue: memory.load(at: offset + 2))
    guard flags.rawValue < 256 else { return nil }
    var vring = Vring()
    vring.size = memory.load(at: offset)
    vring.base = memory.load(at: offset + 4)
    if flags.contains(.addresses) {
      vring.addresses = VringAddresses(
        index: index, descriptors: memory.load(at: offset + 8), device: memory.load(at: offset + 16),
        driver: memory.load(at: offset + 24), log: flags.contains(.log) ? memory.load(at: offset + 32) : nil)
    }
    vring.isEnabled = flags.contains(.enabled)
    vring.isRunning = flags.contains(.running)
    vring.isDraining = flags.contains(.draining)
    vring.hasKick = flags.contains(.kick)
    vring.hasCall = flags.contains(.call)
    vring.hasError = flags.contains(.error)
    return vring
  }

  private func vringOffset(_ index: Int) -> Int { Self.vringsOffset + index * Self.vringBytes }
  private func regionOffset(_ index: Int) -> Int { vringOffset(vringCount) + index * Self.regionBytes }
  private func removedOffset(_ index: Int) -> Int {
    regionOffset(GuestMemory.maximumRegions) + index * MemoryRegionDescription.byteCount
  }
}
