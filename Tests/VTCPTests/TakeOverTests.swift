// SPDX-License-Identifier: Apache-2.0

import Arena
import TCPPolicy
import Testing
import Wire

@testable import Simulation
@testable import VTCP

/// Dangers 3 and 4: another process goes on where one was killed. Between packets the schedules do it, too (`Schedule.takeOverOdds`).
@Suite("Another process takes over")
struct TakeOverTests {
  /// A connection of which the guest has been sent 300 of 900 octets that are acknowledged.
  private func interrupted(_ change: (inout ModelSegment) -> Void = { _ in }) throws -> ModuleRig {
    let rig = try ModuleRig { $0.flow.outOfOrderStoreSize = 4_000 }
    try rig.openAndTalk(change)
    _ = try rig.guest(at: 100, ack: 100, window: 300)
    #expect(try rig.network(at: 100, 300, ack: 100) != nil)
    #expect(try rig.network(at: 400, 600, ack: 100) == nil)
    #expect(try rig.emissions(to: .network).map { rig.acknowledged($0, to: .network) } == [1000])
    return rig
  }

  /// All that was acknowledged arrives, octet for octet, and all is given back.
  private func deliver(_ rig: ModuleRig) throws {
    #expect(rig.view?.receive.owned == 900)
    var got = try rig.emissions(to: .guest).map { (rig.place($0, to: .guest), $0.payloadCount) }
    _ = try rig.guest(at: 100, ack: 100, window: 20_000)
    got += try rig.emissions(to: .guest).map { (rig.place($0, to: .guest), $0.payloadCount) }
    var end = 100
    for (place, count) in got where place <= end { end = max(end, place + count) }
    #expect(end == 1000)
    _ = try rig.guest(at: 100, ack: 1000)
    #expect(rig.module.ownedOctets == 0)
    #expect(rig.module.heldChunks == 0)
    _ = try rig.network(at: 1000, 100, ack: 100)
    let next = try rig.guest(at: 100, ack: 1100)
    #expect(next.map { rig.acknowledged($0, to: .network) } == 1100)
  }

  @Test("What was acknowledged is delivered, and the connection goes on")
  func delivers() throws {
    let rig = try interrupted()
    try rig.takeOver()
    try deliver(rig)
  }

  @Test("A buffer that was being emptied is what it was before")
  func halfReleased() throws {
    let rig = try interrupted()
    let side = SideIndex(RecordIndex(rawValue: 1), sender: .network)
    rig.module.store.beginChange(side)
    rig.module.store[side].buffer.releaseAll(in: rig.module.store.chunks)
    try rig.takeOver()
    try deliver(rig)
  }

  @Test("What came out of order stays, as the sender was told")
  func outOfOrder() throws {
    let rig = try interrupted { $0.permitsSACK = true }
    #expect(try rig.network(at: 1200, 300, ack: 100) == nil)
    try rig.takeOver()
    #expect(rig.view?.receive.owned == 900)
    _ = try rig.network(at: 1000, 200, ack: 100)
    #expect(try rig.emissions(to: .network).last.map { rig.acknowledged($0, to: .network) } == 1500)
  }

  @Test("A connection that was being made, or forgotten, is not there")
  func halfMade() throws {
    let rig = try interrupted()
    let store = rig.module.store
    let unborn = try #require(store.flows.allocate())
    store.flows[unborn] = store.flows[RecordIndex(rawValue: 1)]
    try rig.takeOver()
    #expect(rig.module.flowCount == 1)
    try deliver(rig)
  }

  @Test("If what was promised is gone, both ends are told")
  func promiseBroken() throws {
    let rig = try interrupted()
    let side = SideIndex(RecordIndex(rawValue: 1), sender: .network)
    rig.module.store[side].buffer.releaseAll(in: rig.module.store.chunks)
    try rig.takeOver()
    #expect(try rig.emissions(to: .network).map { $0.has(ModelSegment.rst) } == [true])
    #expect(try rig.emissions(to: .guest).map { $0.has(ModelSegment.rst) } == [true])
    #expect(rig.module.flowCount == 0)
    #expect(rig.module.heldChunks == 0)
  }

  @Test("Memory in which no module was, or was only begun, is refused")
  func noModule() throws {
    let rig = try ModuleRig()
    #expect(rig.isPresent)
    rig.forgetMagic()
    #expect(!rig.isPresent)
    #expect(throws: ArenaError.notAnArena) { try rig.takeOver() }
  }

  @Test("Records that another version made are not read, though they be as large")
  func otherVersion() throws {
    let rig = try interrupted()
    rig.changeLayout()
    #expect(throws: ArenaError.otherVersion(RecordLayout.fingerprint &+ 1)) { try rig.takeOver() }
  }

  @Test("The layout's number knows the names, the types and the order of all fields")
  func layout() {
    func number<Record: BitwiseCopyable>(_ record: Record.Type) -> UInt32 {
      var hash: UInt32 = 0
      RecordLayout.add(record, to: &hash)
      return hash
    }
    let numbers = [
      number(One.Record.self), number(Two.Record.self), number(Three.Record.self), number(Four.Record.self),
    ]
    #expect(Set(numbers).count == 4)
    #expect(number(One.Record.self) == numbers[0])
  }

  private enum One {
    struct Record: BitwiseCopyable { var first: UInt32 = 0, second: UInt32 = 0, inner = Inner() }
    struct Inner: BitwiseCopyable { var number: Int16 = 0 }
  }
  private enum Two {
    struct Record: BitwiseCopyable { var second: UInt32 = 0, first: UInt32 = 0, inner = Inner() }
    struct Inner: BitwiseCopyable { var number: Int16 = 0 }
  }
  private enum Three {
    struct Record: BitwiseCopyable { var first: UInt32 = 0, second: Int32 = 0, inner = Inner() }
    struct Inner: BitwiseCopyable { var number: Int16 = 0 }
  }
  private enum Four {
    struct Record: BitwiseCopyable { var first: UInt32 = 0, second: UInt32 = 0, inner = Inner() }
    struct Inner: BitwiseCopyable { var other: Int16 = 0 }
  }
}
