// SPDX-License-Identifier: Apache-2.0

import Arena
import CLinux
import CongestionControl
import Datapath
import Memory
import Polling
import TCPPolicy
import Timekeeping
import Uplinks
import VTCP
import Virtio
import Wire

/// A NIC with the vTCP module, a driver before it and a network behind it, and one connection through all of them.
///
/// In each turn the sender sends, and the receiver acknowledges what it got in the turn before. Or, of a scenario with losses, in each
/// counted turn the receiver says what it has: all of the turn before but the first segments, a segment at a time.
final class AcceleratedRig: CountedLoad {
  private let scenario: AcceleratedScenario
  private let module: VTCPModule
  private let nic: VirtualNIC
  private let far: OwnedDescriptor
  private let call: OwnedDescriptor
  private let transmitRing: DriverRing
  private let receiveRing: DriverRing
  private let moduleMemory: ByteRegion
  private let arenaMemory: ByteRegion
  private let guest: ByteRegion
  private let scratch = ByteRegion.allocate(count: 70_000)
  private var time = Instant(nanoseconds: 1_000_000_000)
  /// Sequence numbers of the sender, and of the receiver who sends nothing.
  private var next: UInt32 = 1
  private let other: UInt32 = 1
  private var posted = 0
  private var earlyOctets: UInt64 = 0

  private static let guestAddress: UInt64 = 0x1_0000_0000
  private static let bufferBytes = 4096
  /// Segments that the first report has above the lost ones: more than two of full size, so that these are lost (RFC 6675).
  private static let margin = 24
  /// Segments in flight when some are lost: always as many, so that what is counted is what is sent again.
  private static let window = 2 * 64 + margin

  init(_ scenario: AcceleratedScenario) throws {
    self.scenario = scenario
    let queues = VirtualNIC.queueCount(queuePairs: 1)
    arenaMemory = .allocate(count: Arena.byteCount(queueCount: queues))
    let configuration = Self.configuration
    moduleMemory = .allocate(count: VTCPModule.byteCount(configuration), alignment: 4096)
    module = try VTCPModule(over: moduleMemory, configuration: configuration, creating: true, now: time)
    var near: Int32 = -1
    var other: Int32 = -1
    guard vtcp_unix_pair(UnixSocket.PairType.sequencedPacket.rawValue, &near, &other) >= 0 else {
      throw BenchError("there is no pair of sockets")
    }
    far = OwnedDescriptor(other)
    call = try EventDescriptor.make()
    nic = try VirtualNIC(
      configuration: VirtualNICConfiguration(queuePairs: 1, mtu: nil, macAddress: nil),
      uplink: Uplink.open(.descriptor(near), queuePairs: 1, mtu: nil),
      arena: Arena(over: arenaMemory, queueCount: queues), module: module, poller: Poller(maximumEvents: 16), seed: 1,
      log: Log(level: .warning, prefix: "vtcp-bench"))
    // The guest's frames are of one length, which a packet need not fill.
    let transmitLength = scenario.direction == .transmit ? 54 + Self.payload(scenario) : 66
    let bytes = (DriverRing.byteCount(bufferBytes: 68 << 10) + 4095) / 4096 * 4096
    guest = .allocate(count: 2 * bytes, alignment: 4096)
    receiveRing = DriverRing(
      format: scenario.format, shape: .single, isWritable: true, memory: guest.slice(from: 0, count: bytes),
      guestAddress: Self.guestAddress, bufferBytes: Self.bufferBytes, length: nil)
    transmitRing = DriverRing(
      format: scenario.format, shape: .single, isWritable: false, memory: guest.slice(from: bytes, count: bytes),
      guestAddress: Self.guestAddress + UInt64(bytes), bufferBytes: 68 << 10,
      length: VirtioNetHeader.lengthWithBufferCount + transmitLength)
    try start()
    try open()
  }

  deinit {
    for index in 0..<2 { nic.abandon(vring: index) }
    for region in [guest, arenaMemory, moduleMemory, scratch] { region.deallocate() }
  }

  private static var configuration: ModuleConfiguration {
    var configuration = ModuleConfiguration()
    configuration.flow.leastRoundTrip = .zero
    configuration.flowLimit = 64
    configuration.chunkLimit = 1024
    configuration.sendingLimit = 64
    configuration.transmissionLimit = 4096
    configuration.flow.acknowledgmentDelay = .zero
    configuration.flow.isPaced = false
    // Whoever loses something in each turn must not come to a standstill.
    configuration.flow.congestionAlgorithm = .none
    configuration.flow.receiveRecovery = .full
    return configuration
  }

  var title: String { "\(scenario.format) \(scenario.name)" }
  var isLarge: Bool { scenario.isLarge }

  private static func payload(_ scenario: AcceleratedScenario) -> Int {
    scenario.isLarge ? 44 * SampleSegment.segmentSize : scenario.isLossy ? 200 : SampleSegment.segmentSize
  }

  private var payload: Int { Self.payload(scenario) }

  private func start() throws {
    guard
      let region = GuestRegion(guestAddress: Self.guestAddress, userAddress: Self.guestAddress, mapping: guest)
    else { throw BenchError("the guest's memory has no place") }
    nic.memory.add(region)
    nic.negotiated(Scenario.allOffloads.union(.version1))
    for (index, ring) in [receiveRing, transmitRing].enumerated() {
      try nic.start(vring: index, ring.setup(in: nic.memory), kick: nil)
      nic.setEnabled(vring: index, true)
      nic.setCall(vring: index, call)
    }
    receiveRing.post(receiveRing.chainCount)
  }

  /// The handshake, and the first data, which the receiver acknowledges itself.
  private func open() throws {
    try fromGuest(
      SampleSegment(isFromGuest: true, sequence: 0, acknowledgment: 0, flags: .syn, options: .handshake))
    try run()
    try fromNetwork(
      SampleSegment(isFromGuest: false, sequence: 0, acknowledgment: 1, flags: [.syn, .ack], options: .handshake))
    try run()
    try fromGuest(SampleSegment(isFromGuest: true, sequence: 1, acknowledgment: 1))
    try run()
    for _ in 0..<2 {
      try send(1)
      try run()
      try acknowledge()
      try run()
    }
    guard module.counters.accelerations > 0 else {
      throw BenchError("the connection is not accelerated: \(module.counters.text)")
    }
  }

  private func run() throws {
    while turn() {}
    try cleanUp()
  }

  // MARK: A turn

  func prepare(_ frames: Int) throws {
    guard scenario.isLossy else {
      try acknowledge()
      try send(frames)
      earlyOctets = module.counters.earlyOctets
      return
    }
    let begin = next
    try send(Self.window)
    try run()
    let first = begin &+ UInt32(frames * payload)
    for number in 1...frames {
      try acknowledge(begin, .selective(first, first &+ UInt32((number + Self.margin) * payload)))
    }
  }

  func turn() -> Bool { nic.turn(now: time) }

  func finish(_ frames: Int) throws {
    let octets = frames * payload
    let passed = try cleanUp()
    guard passed >= octets else {
      throw BenchError("\(title): of \(octets) octets \(passed) have passed: \(module.counters.text)")
    }
    guard !scenario.isLossy else {
      try acknowledge()
      return try run()
    }
    guard module.counters.earlyOctets - earlyOctets == UInt64(octets) else {
      throw BenchError("\(title): not all was acknowledged early: \(module.counters.text)")
    }
  }

  /// Sends `frames` frames of data.
  private func send(_ frames: Int) throws {
    for _ in 0..<frames {
      let segment = SampleSegment(
        isFromGuest: scenario.direction == .transmit, sequence: next, acknowledgment: other, payload: payload)
      next &+= UInt32(payload)
      if segment.isFromGuest { try fromGuest(segment) } else { try fromNetwork(segment) }
    }
  }

  /// The receiver has everything.
  private func acknowledge() throws { try acknowledge(next, .none) }

  private func acknowledge(_ number: UInt32, _ options: SampleSegment.Options) throws {
    let segment = SampleSegment(
      isFromGuest: scenario.direction == .receive, sequence: other, acknowledgment: number, options: options)
    if segment.isFromGuest { try fromGuest(segment) } else { try fromNetwork(segment) }
  }

  private func fromGuest(_ segment: SampleSegment) throws {
    let buffer = transmitRing.buffer(posted % transmitRing.chainCount)
    segment.write(to: scratch)
    let headers = segment.byteCount - VirtioNetHeader.length - segment.payload
    buffer.copy(from: scratch.slice(from: 0, count: VirtioNetHeader.length))
    buffer.copy(
      from: scratch.slice(from: VirtioNetHeader.length, count: headers), at: VirtioNetHeader.lengthWithBufferCount)
    posted += 1
    transmitRing.post(1)
    nic.ready(.kick(1))
  }

  private func fromNetwork(_ segment: SampleSegment) throws {
    segment.write(to: scratch)
    let bytes = scratch.slice(from: 0, count: segment.byteCount)
    guard case .bytes(segment.byteCount) = UnixSocket.send(far.rawValue, bytes, descriptors: []) else {
      throw BenchError("the socket is full")
    }
    nic.ready(.uplink(0))
  }

  /// Takes what both ends got; returns the octets of data that the receiver got, or for a guest the room of the buffers that it got.
  @discardableResult
  private func cleanUp() throws -> Int {
    time = time + .milliseconds(1)
    EventDescriptor.drain(call.rawValue)
    guard transmitRing.collect() == posted - collected else { throw BenchError("\(title): the guest's frames wait") }
    collected = posted
    let used = receiveRing.collect()
    receiveRing.post(used)
    var octets = 0
    var none: [OwnedDescriptor] = []
    while case .bytes(let count) = UnixSocket.receive(far.rawValue, into: scratch, descriptors: &none) {
      octets += SampleSegment.payload(of: scratch.slice(from: 0, count: count))
    }
    return scenario.direction == .transmit ? octets : used * Self.bufferBytes
  }

  private var collected = 0
}
