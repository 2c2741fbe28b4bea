// SPDX-License-Identifier: Apache-2.0

import Arena
import Datapath
import FrameSupport
import Memory
import Polling
import Timekeeping
import Uplinks
import VhostUser
import Virtio
import Wire

/// A NIC of one queue pair with a driver that does what an input says, all in this thread.
final class RingMachine {
  nonisolated(unsafe) private static let poller = try? Poller(maximumEvents: 16)
  private static let call = try? EventDescriptor.make()
  private static let queueCount = VirtualNIC.queueCount(queuePairs: 1)
  private static let arenaMemory = ByteRegion.allocate(count: Arena.byteCount(queueCount: queueCount))

  let format: RingFormat
  let stage = GuestStage.shared
  let watch: ReadWatch
  let nic: VirtualNIC
  let network: RingNetwork
  private let poller: Poller
  private let features: VirtioFeatures
  private var time = Instant(nanoseconds: 1_000_000_000)
  /// Split: the driver's available index. Packed: its next descriptor, and its lap's bits.
  var next: [Int] = [0, 0]
  var wrap: [Bool] = [true, true]

  /// Reads features (2: see `chosenFeatures`), the size of the rings (1), and (1) whether there is no network, whether
  /// the guest has one MAC address only, and whether it migrates.
  init(_ format: RingFormat, _ input: inout InputReader) throws {
    guard let poller = Self.poller, let call = Self.call, let network = RingNetwork.shared else {
      throw Finding("the system gives no descriptors")
    }
    self.format = format
    self.poller = poller
    self.network = network
    stage.reset()
    network.clear()
    Self.arenaMemory.fill(with: 0)
    let arena = try Arena(over: Self.arenaMemory, queueCount: Self.queueCount)
    features = Self.chosenFeatures(input.u16()).union(format == .packed ? .packedRing : [])
    let size = Self.size(input.byte(), format)
    let setUp = input.byte()
    watch = ReadWatch(stage, format)
    let isNull = setUp & 1 != 0
    nic = try VirtualNIC(
      configuration: VirtualNICConfiguration(
        queuePairs: 1, mtu: nil, macAddress: setUp & 2 != 0 ? MACAddress(rawValue: 0x5254_0000_0001) : nil),
      uplink: isNull ? Uplink.open(.null, queuePairs: 1, mtu: nil) : network.uplink, arena: arena, poller: poller,
      seed: 1, log: Log(level: nil, prefix: ""))
    ReadWatch.install()
    ReadWatch.current = watch
    for region in stage.regions { nic.memory.add(region) }
    watch.isLogging = setUp & 4 != 0
    nic.memory.log.setBitmap(watch.isLogging ? stage.dirtyLog : nil)
    nic.memory.log.setWanted(watch.isLogging)
    nic.negotiated(features)
    for queue in 0..<2 {
      nic.setCall(vring: queue, call)
      try start(queue, size: size, base: format == .packed ? 0x8000_8000 : 0)
      nic.setEnabled(vring: queue, true)
    }
  }

  private static func chosenFeatures(_ bits: UInt16) -> VirtioFeatures {
    let choice: [VirtioFeatures] = [
      .mergeableReceiveBuffers, .eventIndex, .version1, .guestChecksum, .guestTSO4, .guestTSO6, .guestECN, .guestUSO4,
      .guestUSO6, .notifyOnEmpty, .indirectDescriptors, .inOrder,
    ]
    return choice.enumerated().reduce([]) { bits >> $1.offset & 1 != 0 ? $0.union($1.element) : $0 }
  }

  static func size(_ octet: UInt8, _ format: RingFormat) -> Int {
    format == .split ? 1 << Int(octet & 7) : Int(octet & 127) + 1
  }

  /// Nothing is left of this input.
  func end() {
    watch.isWatching = false
    ReadWatch.current = nil
    for queue in 0..<2 { nic.abandon(vring: queue) }
    poller.remove(network.descriptor)
  }

  /// Everything settles, and the rings are stopped.
  func finish() throws {
    try network.take(1000)
    try turn(4)
    for queue in 0..<2 { _ = try stop(queue) }
    try network.take(1000)
    // What was offered once stays offered, so the buffers need no look after each turn.
    try watch.acknowledge(0..<stage.memory.count)
  }

  // MARK: - Rings

  func setup(_ queue: Int, size: Int, base: UInt32) -> QueueSetup? {
    let address = GuestStage.userAddress + UInt64(queue * GuestStage.queueBytes)
    guard
      let areas = RingAreas(
        format: format, size: size, descriptorAddress: address,
        driverAddress: address + UInt64(GuestStage.driverArea),
        deviceAddress: address + UInt64(GuestStage.deviceArea), memory: nic.memory)
    else { return nil }
    return QueueSetup(
      format: format, size: UInt16(size), areas: areas, descriptorAddress: address,
      eventIndex: features.contains(.eventIndex), notifyOnEmpty: features.contains(.notifyOnEmpty), base: base,
      usedLogAddress: watch.isLogging
        ? GuestStage.guestAddress + UInt64(queue * GuestStage.queueBytes + GuestStage.deviceArea) : nil)
  }

  /// As the front-end's part has it: a packed base outside of the ring is refused before.
  func start(_ queue: Int, size: Int, base: UInt32) throws {
    var base = base
    if format == .packed {
      let entry = base & 0x7fff % UInt32(size)
      base = base & 0x8000_8000 | entry | entry << 16
    }
    guard let setup = setup(queue, size: size, base: base) else { throw Finding("the areas have no place") }
    let used: UInt16 = stage.known(at: queue * GuestStage.queueBytes + GuestStage.deviceArea + 2)
    watch.isWatching = false
    try nic.start(vring: queue, setup, kick: nil)
    watch.isWatching = true
    watch.queues[queue].start(size: size, nextUsed: Int(used))
    // A buffer of the other queue may still be there.
    watch.queues[queue].isMuddled = watch.isOffered(watch.queues[queue].area)
    try watch.acknowledge()
  }

  func stop(_ queue: Int) throws -> UInt32 {
    guard watch.queues[queue].isRunning else { return 0 }
    let base = nic.stop(vring: queue)
    try settle()
    watch.queues[queue].stop()
    return base
  }

  func abandon(_ queue: Int) {
    nic.abandon(vring: queue)
    watch.queues[queue].stop()
  }

  /// The front-end says the memory table once more: everything taken goes back, and the rings are found again.
  func moveMemory() throws {
    nic.memoryWillChange()
    try settle()
    for queue in 0..<2 where watch.queues[queue].isRunning {
      watch.queues[queue].holdsNothing()
      guard let setup = setup(queue, size: watch.queues[queue].size, base: 0) else { continue }
      nic.move(vring: queue, to: setup)
    }
  }

  // MARK: - Turns

  func kick(_ queue: Int) { nic.ready(.kick(queue)) }

  func turn(_ most: Int, later: Int64 = 1) throws {
    for _ in 0..<most {
      time = time + .microseconds(later)
      watch.turnBegins()
      let isMoreToDo = nic.turn(now: time)
      try Finding.require(watch.reads < ReadWatch.mostReads, "a turn has read \(watch.reads) times")
      try settle()
      watch.queues[1].holdsNothing()
      guard isMoreToDo else { return }
    }
  }

  func sleepAndWake() throws {
    if nic.prepareToSleep() { try turn(1) }
    _ = nic.hasWork()
    try settle()
  }

  /// Compares what the device has written to the rings with what it may.
  func settle() throws(Finding) {
    for queue in 0..<2 { try watch.queues[queue].check(stage, format) }
    try watch.acknowledge()
  }
}
