// SPDX-License-Identifier: Apache-2.0

import Arena
import TCPPolicy
import Testing
import Timekeeping
import Wire

@testable import Simulation
@testable import VTCP

@Suite("R50: knobs that change within a connection's life")
struct PhaseTests {
  typealias Change = (inout FlowConfiguration) -> Void

  /// A life for all connections: each phase with its end, the last without.
  static func life(_ phases: [(change: Change, end: PhaseEnd?)]) throws -> Classifier {
    var named: [NamedConfiguration] = []
    for (place, phase) in phases.enumerated() {
      var configuration = FlowConfiguration()
      configuration.acknowledgmentDelay = .zero
      configuration.leastRoundTrip = .zero
      phase.change(&configuration)
      named.append(NamedConfiguration(name: try #require(PolicyName("c\(place)")), configuration: configuration))
    }
    let life = try #require(PolicyName("life"))
    let sequence = zip(named, phases).map { PolicyPhase($0.name, until: $1.end) }
    return try Classifier(
      rules: [PolicyRule(FlowMatch(), configuration: life)], configurations: named,
      phases: [PolicyPhases(name: life, sequence)])
  }

  /// Which phase it is in, from 0.
  private func phase(_ rig: ModuleRig, of count: Int) throws -> Int {
    Int(try #require(rig.view).configuration) - 1 - count - 2
  }

  private let early: Change = { $0.mode = .early }
  private let snoop: Change = { $0.mode = .snoop }
  private let off: Change = { $0.mode = .off }

  /// Sends octets of one end, in order, and has each segment acknowledged by the other.
  ///
  /// - Returns: the ends of the segments that the module acknowledged itself.
  private func send(_ rig: ModuleRig, fromGuest: Bool, _ range: Range<Int>, by size: Int) throws -> [Int] {
    var told: [Int] = []
    let sender = fromGuest ? Leg.guest : .network
    for place in stride(from: range.lowerBound, to: range.upperBound, by: size) {
      let end = place + size
      _ = fromGuest ? try rig.guest(at: place, size, ack: 100) : try rig.network(at: place, size, ack: 100)
      let own = try rig.emissions(to: sender).map { rig.acknowledged($0, to: sender) }
      if own.contains(end) { told.append(end) }
      _ = try rig.emissions(to: sender.opposite)
      _ = fromGuest ? try rig.network(at: 100, ack: end) : try rig.guest(at: 100, ack: end)
      _ = try rig.emissions(to: sender)
    }
    return told
  }

  @Test(
    "The first MiB is treated otherwise, to the segment, in either direction", arguments: [true, false], [true, false])
  func firstMiB(fromGuest: Bool, earlyFirst: Bool) throws {
    let rig = try ModuleRig(
      policy: Self.life([
        (earlyFirst ? early : snoop, .octets(1 << 20)), (earlyFirst ? snoop : early, nil),
      ]))
    try rig.openAndTalk()
    // Both are held, and accelerated if they are to be.
    _ = try rig.network(at: 100, ack: 100)
    let told = try send(rig, fromGuest: fromGuest, 100..<1_100_000, by: 1_000)
    // This segment has octet 2^20, counted from 1.
    let crossing = 1_049_100
    if earlyFirst {
      #expect(try #require(told.last) == crossing && told.count > 1_000)
    } else {
      #expect(try #require(told.first) == crossing && told.count == 1 + (1_100_100 - crossing) / 1_000)
    }
    #expect(try phase(rig, of: 2) == 1)
    #expect(rig.module.weightInUse == rig.module.weightOfAll())
  }

  @Test("The end that sends more counts; what the other one sends does not come on top")
  func largerOfBoth() throws {
    let rig = try ModuleRig(policy: Self.life([(early, .octets(3_000)), (snoop, nil)]))
    try rig.openAndTalk()
    _ = try rig.guest(at: 100, 1_900, ack: 100)
    _ = try rig.network(at: 100, 2_899, ack: 2_000)
    #expect(try phase(rig, of: 2) == 0)
    _ = try rig.network(at: 2_999, 1, ack: 2_000)
    #expect(try phase(rig, of: 2) == 1)
  }

  @Test("Time ends a phase at its tick, though the connection rests", arguments: [false, true])
  func time(takesOver: Bool) throws {
    let policy = try Self.life([(early, .octets(500_000)), (off, .time(.seconds(5))), (snoop, nil)])
    let rig = try ModuleRig(policy: policy)
    rig.now = 1_234
    try rig.open()
    let begun = Instant(nanoseconds: 1_234_000_000)
    #expect(try #require(rig.view).hasTimer == false)
    _ = try rig.guest(at: 0, 100)
    rig.tick(3_000)
    _ = try rig.network(ack: 499_999)
    _ = try rig.guest(at: 499_999, 1)
    #expect(try phase(rig, of: 3) == 1 && rig.view?.hasTimer == true)
    if takesOver { try rig.takeOver(policy) }
    #expect(try phase(rig, of: 3) == 1)
    // Nothing happens but the time.
    for (time, number) in [(4_999_999_999, 1), (5_000_032_768, 2)] as [(Int64, Int)] {
      _ = rig.module.timersDue(now: begun + .nanoseconds(time))
      #expect(try phase(rig, of: 3) == number, "\(time) ns")
    }
    #expect(rig.view?.hasTimer == false)
  }

  @Test("A packet that comes when it is time finds the next phase, whatever the timers do")
  func packetInTime() throws {
    let rig = try ModuleRig(policy: Self.life([(early, .time(.milliseconds(20))), (snoop, nil)]))
    try rig.openAndTalk()
    rig.now += 19
    _ = try rig.network(at: 100, 500, ack: 100)
    #expect(try phase(rig, of: 2) == 0 && rig.emissions(to: .network).count == 1)
    rig.now += 1
    _ = try rig.network(at: 600, 500, ack: 100)
    #expect(try phase(rig, of: 2) == 1)
    _ = try rig.emissions(to: .network)
    _ = try rig.network(at: 1_100, 500, ack: 100)
    #expect(!(try rig.emissions(to: .network).contains { rig.acknowledged($0, to: .network) > 1_100 }))
  }

  @Test("Of a phase that is off, what the one before owes is delivered, and nothing is acknowledged early")
  func turnedOff() throws {
    let rig = try ModuleRig(policy: Self.life([(early, .octets(5_000)), (off, nil)]))
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 100, ack: 100, window: 3_000)
    for place in stride(from: 100, to: 5_100, by: 1_000) { _ = try rig.guest(at: place, 1_000, ack: 200) }
    #expect(try phase(rig, of: 2) == 1 && rig.view?.transmit.state == .draining)
    let told = try rig.emissions(to: .guest)
    #expect(told.last.map { rig.acknowledged($0, to: .guest) } == 5_100)
    _ = try rig.guest(at: 5_100, 500, ack: 200)
    _ = try rig.emissions(to: .network)
    for segment in try rig.emissions(to: .guest) { #expect(rig.acknowledged(segment, to: .guest) == 5_100) }
    var arrived = 3_100
    while arrived < 5_600 {
      _ = try rig.network(at: 200, ack: arrived, window: 20_000)
      let more = try rig.emissions(to: .network)
      arrived = try #require(more.last.map { rig.place($0, to: .network) + $0.payloadCount })
    }
    let passed = try rig.network(at: 200, ack: 5_600, window: 0xffff)
    #expect(try passed != nil || rig.emissions(to: .guest).contains { rig.acknowledged($0, to: .guest) == 5_600 })
    #expect(rig.view?.transmit.state == .passThrough && rig.module.ownedOctets == 0)
    #expect(rig.module.weightInUse == rig.module.weightOfAll())
    #expect(rig.passesUnchanged(fromGuest: true, at: 5_600, 700) { $1 })
    #expect(rig.passesUnchanged(fromGuest: false, at: 200, 700) { $1 })
  }

  @Test(
    "A connection that is off in its first phase is followed, and accelerated in the next; one that is off for good is not"
  )
  func turnedOn() throws {
    let rig = try ModuleRig(policy: Self.life([(off, .established), (off, .octets(200)), (early, nil)]))
    try rig.open()
    #expect(try phase(rig, of: 3) == 1)
    _ = try rig.guest(at: 0, 100)
    _ = try rig.network(ack: 100)
    #expect(rig.passesUnchanged(fromGuest: false, at: 0, 199) { $1 })
    _ = try rig.network(at: 199, 1, ack: 100)
    _ = try rig.guest(at: 100, ack: 200)
    _ = try rig.network(at: 200, 500, ack: 100)
    #expect(try rig.emissions(to: .network).map { rig.acknowledged($0, to: .network) } == [700])
    let other = try ModuleRig(policy: Self.life([(off, .established), (off, nil)]))
    try other.open()
    #expect(other.module.flowCount == 0)
  }

  @Test("Until a connection stands its first phase lasts, however long that takes")
  func handshake() throws {
    let rig = try ModuleRig(policy: Self.life([(early, .established), (early, .time(.seconds(1))), (snoop, nil)]))
    _ = try rig.guest(ModelSegment.syn) { $0.maximumSegmentSize = 1000 }
    rig.tick(5_000)
    #expect(try phase(rig, of: 3) == 0)
    _ = try rig.network(ModelSegment.syn | ModelSegment.ack, ack: 0) { $0.maximumSegmentSize = 1000 }
    #expect(try phase(rig, of: 3) == 0)
    _ = try rig.guest()
    #expect(try phase(rig, of: 3) == 1)
    rig.tick(1_001)
    #expect(try phase(rig, of: 3) == 2)
  }

  @Test("A larger buffer of the next phase is shown to the sender at once")
  func grows() throws {
    let rig = try ModuleRig(
      policy: Self.life([
        ({ $0.transmitBufferSize = 6_000 }, .octets(5_100)), ({ $0.transmitBufferSize = 60_000 }, nil),
      ]))
    try rig.openAndTalk()
    _ = try rig.network(at: 100, 100, ack: 100, window: 3_000)
    for place in stride(from: 100, to: 4_100, by: 1_000) { _ = try rig.guest(at: place, 1_000, ack: 200) }
    _ = try rig.emissions(to: .guest)
    let before = try #require(rig.view?.transmit.shownEdge)
    _ = try rig.guest(at: 4_100, 1_000, ack: 200)
    let told = try #require(try rig.emissions(to: .guest).last)
    #expect(rig.acknowledged(told, to: .guest) == 5_100 && Int(told.window) > 50_000)
    let after = try #require(rig.view?.transmit.shownEdge)
    #expect(after - before > 30_000)
  }

  @Test("Another policy, and another process, find the phase that the connection is in")
  func adopted() throws {
    let rig = try ModuleRig(policy: Self.life([(early, .octets(5_000)), (snoop, nil)]))
    try rig.openAndTalk()
    _ = try send(rig, fromGuest: true, 100..<2_100, by: 500)
    #expect(try phase(rig, of: 2) == 0)
    let other = try Self.life([(early, .octets(1_000)), (snoop, .octets(10_000)), (early, nil)])
    rig.adopt(other)
    #expect(try phase(rig, of: 3) == 1)
    #expect(try send(rig, fromGuest: true, 2_100..<9_600, by: 500).isEmpty)
    try rig.takeOver(other)
    #expect(try phase(rig, of: 3) == 1)
    _ = try send(rig, fromGuest: true, 9_600..<10_100, by: 500)
    #expect(try phase(rig, of: 3) == 2)
    #expect(try send(rig, fromGuest: true, 10_100..<12_100, by: 500).last == 12_100)
    for policy in [other, try Self.life([(snoop, .octets(100)), (snoop, .octets(13_000)), (snoop, nil)])] {
      rig.adopt(policy)
      try rig.takeOver(policy)
    }
    #expect(try phase(rig, of: 3) == 1)
    #expect(rig.module.weightInUse == rig.module.weightOfAll())
  }

  @Test(
    "A connection that is only watched goes through its phases as well, by octets and by time",
    arguments: [true, false])
  func watched(byShortWay: Bool) throws {
    let far: Change = { $0.leastRoundTrip = .seconds(60) }
    let rig = try ModuleRig(policy: Self.life([(far, .octets(3_000)), (far, .time(.seconds(5))), (far, nil)]))
    rig.module.usesShortWay = byShortWay
    try rig.openAndTalk()
    for place in stride(from: 100, to: 2_900, by: 100) { _ = try rig.guest(at: place, 100, ack: 100) }
    #expect(try phase(rig, of: 3) == 0 && rig.view?.hasTimer == false)
    _ = try rig.guest(at: 2_900, 100, ack: 100)
    #expect(try phase(rig, of: 3) == 1 && rig.view?.hasTimer == true)
    rig.tick(4_999)
    #expect(try phase(rig, of: 3) == 1)
    rig.tick(2)
    #expect(try phase(rig, of: 3) == 2 && rig.view?.hasTimer == false)
  }

  @Test("Beyond 4 GiB no phase begins again, in another policy and another process either")
  func beyondAllNumbers() throws {
    let policy = try Self.life([(off, .octets(1 << 31)), (snoop, nil)])
    let rig = try ModuleRig(policy: policy)
    try rig.openAndTalk()
    var place = 100
    // So much that the number of octets is a small one again.
    while place < 9 << 29 {
      #expect(try phase(rig, of: 2) == (place > 1 << 31 ? 1 : 0), "\(place)")
      place += 1 << 29
      // It went another way, as it seems.
      _ = try rig.network(at: 100, ack: place)
      _ = try rig.guest(at: place, 100, ack: 100)
      place += 100
      _ = try rig.network(at: 100, ack: place)
    }
    rig.adopt(policy)
    #expect(try phase(rig, of: 2) == 1)
    try rig.takeOver(policy)
    #expect(try phase(rig, of: 2) == 1)
  }

  @Test("The next connection of the same ends begins with the first phase (RFC 6191)")
  func nextConnection() throws {
    let rig = try ModuleRig(policy: Self.life([(early, .octets(200)), (snoop, nil)]))
    try rig.openAndTalk()
    _ = try rig.guest(at: 100, 200, ack: 100)
    #expect(try phase(rig, of: 2) == 1)
    let start = ModuleRig.guestStart &+ 1_000_000
    _ = try rig.guest(ModelSegment.syn) { $0.sequence = start }
    #expect(try phase(rig, of: 2) == 1)
    _ = try rig.network(ModelSegment.syn | ModelSegment.ack) {
      $0.sequence = 77
      $0.acknowledgment = start &+ 1
    }
    #expect(try phase(rig, of: 2) == 0)
    _ = try rig.guest {
      $0.sequence = start &+ 1
      $0.acknowledgment = 78
    }
    _ = try rig.network {
      $0.sequence = 78
      $0.acknowledgment = start &+ 1
    }
    #expect(rig.view?.phase == .established)
    #expect(try phase(rig, of: 2) == 0)
  }
}
