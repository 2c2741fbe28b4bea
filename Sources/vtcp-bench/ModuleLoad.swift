// SPDX-License-Identifier: Apache-2.0

import Memory
import Monitoring
import Packets
import TCPPolicy
import Timekeeping
import VTCP
import Wire

/// A vTCP module with one connection on which the guest sends: each round a segment comes, is kept and acknowledged early or only watched,
/// goes on, and the receiver's acknowledgment comes. Time is as it is told, and passes by a millisecond a turn.
final class ModuleLoad {
  /// Rounds of a turn.
  static let batch = 32
  private static let payload = 1448

  private let memory: ByteRegion
  private let statistics: ByteRegion
  private let module: VTCPModule
  private let segment = ByteRegion.allocate(count: 54 + payload)
  private let answer = ByteRegion.allocate(count: 64)
  private let head = ByteRegion.allocate(count: SegmentTemplate.maximumHeaderLength)
  private let vectors = RecordBuffer<IOVector>(capacity: 32, repeating: .none)
  private let payloadVector = RecordBuffer<IOVector>(capacity: 1, repeating: .none)
  private var now = Instant(nanoseconds: 1_000_000_000)
  private var sent: UInt32 = 1

  /// - Parameter isHeld: whether segments are kept; else there is no reason to, since the receiver answers at once.
  init(isMonitored: Bool, isHeld: Bool = true) throws {
    var configuration = ModuleConfiguration()
    if isHeld { configuration.flow.leastRoundTrip = .zero }
    configuration.flowLimit = 64
    configuration.chunkLimit = 1024
    configuration.sendingLimit = 64
    configuration.transmissionLimit = 4096
    configuration.flow.mode = .early
    configuration.flow.acknowledgmentDelay = .zero
    configuration.flow.isPaced = false
    memory = ByteRegion.allocate(count: VTCPModule.byteCount(configuration), alignment: 4096)
    statistics = ByteRegion.allocate(count: MonitorRegion.byteCount(flowLimit: 64), alignment: 4096)
    let identity = MonitorIdentity(process: 1, started: now, mode: 2, uplink: "none", socket: "none")
    let monitor = MonitorRegion(creatingIn: statistics, identity: identity, flowLimit: 64)
    module = try VTCPModule(
      over: memory, configuration: configuration, creating: true, monitor: isMonitored ? monitor : nil, now: now)
    SampleFrame.writeBare(payload: 0, to: segment)
    SampleFrame.writeBare(payload: 0, to: answer)
    SampleFrame.turnRound(answer)
    payloadVector[0] = IOVector(segment.suffix(from: 54))
    open()
    SampleFrame.writeBare(payload: Self.payload, to: segment)
    for _ in 0..<8 { turn() }
    guard (module.counters.accelerations > 0) == isHeld, (module.counters.earlyOctets > 0) == isHeld else {
      throw BenchError("the module's connection is \(isHeld ? "not " : "")accelerated: \(module.counters.text)")
    }
  }

  deinit {
    memory.deallocate()
    statistics.deallocate()
    segment.deallocate()
    answer.deallocate()
    head.deallocate()
    vectors.deallocate()
    payloadVector.deallocate()
  }

  /// The handshake.
  private func open() {
    SampleFrame.setNumbers(segment, sequence: 0, acknowledgment: 0, flags: .syn)
    arrive(.guest, segment.slice(from: 0, count: 54), length: 54)
    SampleFrame.setNumbers(answer, sequence: 0, acknowledgment: 1, flags: [.syn, .ack])
    arrive(.network, answer.slice(from: 0, count: 54), length: 54)
    SampleFrame.setNumbers(segment, sequence: 1, acknowledgment: 1, flags: .ack)
    arrive(.guest, segment.slice(from: 0, count: 54), length: 54)
  }

  /// `batch` rounds, and what a NIC does at the end of a turn. Not inlined: callgrind looks for its name.
  @inline(never)
  func turn() {
    now = now + .milliseconds(1)
    for _ in 0..<Self.batch { round() }
    _ = module.timersDue(now: now)
    module.publish(now: now)
  }

  private func round() {
    SampleFrame.setNumbers(segment, sequence: sent, acknowledgment: 1, flags: [.ack, .psh])
    sent &+= UInt32(Self.payload)
    arrive(.guest, segment.slice(from: 0, count: 54), length: segment.count)
    emit(to: .guest)
    emit(to: .network)
    SampleFrame.setNumbers(answer, sequence: 1, acknowledgment: sent, flags: .ack)
    arrive(.network, answer.slice(from: 0, count: 54), length: 54)
  }

  private func arrive(_ leg: Leg, _ head: ByteRegion, length: Int) {
    var frame = PassingFrame(
      head: head, length: length, vectors: payloadVector, firstVector: 0, vectorsEnd: length > 54 ? 1 : 0)
    frame.needsChecksum = leg == .guest
    frame.isVerified = leg == .network
    _ = module.arrive(from: leg, frame, now: now)
  }

  private func emit(to leg: Leg) {
    while module.emit(to: leg, head: head, vectors: vectors, first: 0, largest: 0, now: now) != nil {
      module.emitted(now: now)
    }
  }
}
