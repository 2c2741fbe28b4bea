// SPDX-License-Identifier: Apache-2.0

import Arena
import CLinux
import Datapath
import Memory
import Polling
import Timekeeping
import Uplinks
import Virtio
import Wire

/// A NIC with a driver before it and a network behind it, all in this thread.
final class Rig: CountedLoad {
  let scenario: Scenario
  var title: String { "\(scenario.format) \(scenario.name)" }
  var isLarge: Bool { scenario.content == .large }
  let nic: VirtualNIC
  private let guest: ByteRegion
  private let arenaMemory: ByteRegion
  private let rings: [DriverRing]
  /// The network's end of a socket.
  private let far: OwnedDescriptor?
  /// What sends to a network of the system.
  private let peer: FrameSource?
  private let call: OwnedDescriptor
  private let frame = ByteRegion.allocate(count: 70_000)
  private let scratch = ByteRegion.allocate(count: 70_000)
  private let frameLength: Int
  private var time = Instant(nanoseconds: 1_000_000_000)

  private static let guestAddress: UInt64 = 0x1_0000_0000

  init(_ scenario: Scenario) throws {
    self.scenario = scenario
    frameLength = SampleFrame.write(scenario.content, to: frame)
    let queues = VirtualNIC.queueCount(queuePairs: scenario.pairs)
    arenaMemory = .allocate(count: Arena.byteCount(queueCount: queues))
    let (uplink, far) = try Self.openUplink(scenario.network)
    self.far = far
    if case .system(_, let specification) = scenario.network, scenario.direction == .receive {
      peer = try FrameSource(specification, frame: frame.slice(from: 0, count: frameLength))
    } else {
      peer = nil
    }
    call = try EventDescriptor.make()
    nic = try VirtualNIC(
      configuration: VirtualNICConfiguration(queuePairs: scenario.pairs, mtu: nil, macAddress: nil), uplink: uplink,
      arena: Arena(over: arenaMemory, queueCount: queues), poller: Poller(maximumEvents: 16), seed: 1,
      log: Log(level: .warning, prefix: "vtcp-bench"))
    let ringBytes = (DriverRing.byteCount(bufferBytes: scenario.bufferBytes) + 4095) / 4096 * 4096
    guest = .allocate(count: 2 * scenario.pairs * ringBytes, alignment: 4096)
    let memory = guest
    let transmitLength = frameLength + VirtioNetHeader.lengthWithBufferCount - VirtioNetHeader.length
    rings = (0..<2 * scenario.pairs).map { index in
      DriverRing(
        format: scenario.format, shape: scenario.shape, isWritable: index % 2 == 0,
        memory: memory.slice(from: index * ringBytes, count: ringBytes),
        guestAddress: Self.guestAddress + UInt64(index * ringBytes), bufferBytes: scenario.bufferBytes,
        length: index % 2 == 0 ? nil : transmitLength)
    }
    try start()
  }

  deinit {
    for index in rings.indices { nic.abandon(vring: index) }
    for region in [guest, arenaMemory, frame, scratch] { region.deallocate() }
  }

  private static func openUplink(_ network: Scenario.Network) throws -> (Uplink, OwnedDescriptor?) {
    switch network {
    case .system(let specification, _): return (try Uplink.open(specification, queuePairs: 1, mtu: nil), nil)
    case .null: return (try Uplink.open(.null, queuePairs: 1, mtu: nil), nil)
    case .socket:
      // Sequenced packets: their queue is limited in bytes only, so that a turn's frames fit.
      var near: Int32 = -1
      var far: Int32 = -1
      guard vtcp_unix_pair(UnixSocket.PairType.sequencedPacket.rawValue, &near, &far) >= 0 else {
        throw BenchError("there is no pair of sockets")
      }
      return (try Uplink.open(.descriptor(near), queuePairs: 1, mtu: nil), OwnedDescriptor(far))
    }
  }

  private func start() throws {
    guard let region = GuestRegion(guestAddress: Self.guestAddress, userAddress: Self.guestAddress, mapping: guest)
    else { throw BenchError("the guest's memory has no place") }
    nic.memory.add(region)
    nic.negotiated(scenario.features.union(.version1))
    for (index, ring) in rings.enumerated() {
      try nic.start(vring: index, ring.setup(in: nic.memory), kick: nil)
      nic.setEnabled(vring: index, true)
      nic.setCall(vring: index, call)
      if scenario.direction == .transmit, !ring.isWritable { fillBuffers(ring) }
      if ring.isWritable { ring.post(ring.chainCount) }
    }
  }

  /// Puts the frame into every buffer, behind a header of 12 bytes.
  private func fillBuffers(_ ring: DriverRing) {
    for chain in 0..<ring.chainCount {
      let buffer = ring.buffer(chain)
      buffer.copy(from: frame.slice(from: 0, count: VirtioNetHeader.length))
      buffer.copy(
        from: frame.slice(from: VirtioNetHeader.length, count: frameLength - VirtioNetHeader.length),
        at: VirtioNetHeader.lengthWithBufferCount)
    }
  }

  func wantNotifications(_ wanted: Bool) {
    for ring in rings { ring.wantNotifications(wanted) }
  }

  /// What one turn is to find: `frames` frames to transmit, or in the uplink.
  func prepare(_ frames: Int) throws {
    switch scenario.direction {
    case .transmit:
      rings[1].post(frames)
      nic.ready(.kick(1))
    case .receive:
      if let peer {
        try peer.send(frames)
        nic.ready(.uplink(0))
        return
      }
      guard let far else { throw BenchError("the null uplink receives nothing") }
      for _ in 0..<frames {
        guard
          case .bytes(frameLength) = UnixSocket.send(
            far.rawValue, frame.slice(from: 0, count: frameLength), descriptors: [])
        else { throw BenchError("the socket is full") }
      }
      nic.ready(.uplink(0))
    }
  }

  func turn() -> Bool { nic.turn(now: time) }

  /// Turns until nothing is left to do. A function of its own, since an instruction counter finds it by its name.
  @inline(never)
  func turnUntilIdle() {
    while nic.turn(now: time) {}
  }

  /// Checks that the frames passed, and makes room for more.
  func finish(_ frames: Int) throws {
    time = time + .milliseconds(1)
    EventDescriptor.drain(call.rawValue)
    switch scenario.direction {
    case .transmit:
      guard rings[1].collect() == frames else { throw BenchError("\(scenario.name): not all frames were sent") }
      if let far { drain(far) }
    case .receive:
      var used = 0
      for ring in rings where ring.isWritable {
        let count = ring.collect()
        ring.post(count)
        used += count
      }
      guard used >= frames else { throw BenchError("\(scenario.name): not all frames were received") }
    }
  }

  private func drain(_ socket: OwnedDescriptor) {
    var none: [OwnedDescriptor] = []
    while case .bytes = UnixSocket.receive(socket.rawValue, into: scratch, descriptors: &none) {}
  }
}
