// SPDX-License-Identifier: Apache-2.0

import Arena
import Monitoring
import TCPPolicy
import Testing
import Timekeeping

@testable import Simulation
@testable import VTCP

@Suite("R46, danger 57: connections are told of another policy a few at a time")
struct PolicyTellingTests {
  private static let count = 100
  /// Of a policy with one rule one turn tells as many connections.
  private static let aTurn = 64

  /// All connections have a mode and a class.
  private func policy(_ mode: AccelerationMode, _ className: String, weight: UInt8 = 1) throws -> Classifier {
    let name = try #require(PolicyName("own"))
    var configuration = FlowConfiguration()
    configuration.acknowledgmentDelay = .zero
    configuration.leastRoundTrip = .zero
    configuration.mode = mode
    configuration.bufferWeight = weight
    let rule = PolicyRule(FlowMatch(), configuration: name, flowClass: try #require(PolicyName(className)))
    return try Classifier(
      rules: [rule], configurations: [NamedConfiguration(name: name, configuration: configuration)])
  }

  private func rig(_ policy: Classifier) throws -> ModuleRig {
    let rig = try ModuleRig(policy: policy) {
      $0.flowLimit = 256
      $0.sendingLimit = 512
      $0.chunkLimit = 2048
    }
    for port in 1...Self.count { try open(rig, port) }
    return rig
  }

  private func open(_ rig: ModuleRig, _ port: Int) throws {
    rig.guestPort = UInt16(port)
    try rig.openAndTalk()
    _ = try rig.network(at: 100, ack: 100)
    _ = try rig.emissions(to: .guest)
  }

  /// Whether what the guest sends on a connection is acknowledged early.
  private func isEarly(_ rig: ModuleRig, _ port: Int) throws -> Bool {
    rig.guestPort = UInt16(port)
    _ = try rig.guest(at: 100, 500, ack: 100)
    let isEarly = try !rig.emissions(to: .guest).isEmpty
    _ = try rig.network(at: 100, ack: 600)
    return isEarly
  }

  @Test("Who was told goes by the new policy, who was not by the one before, and who comes by the new one at once")
  func someFirst() throws {
    let rig = try rig(policy(.early, "first"))
    rig.begin(try policy(.snoop, "first"))
    try open(rig, Self.count + 1)
    #expect(try !isEarly(rig, Self.count + 1))
    #expect(try isEarly(rig, 1))
    #expect(rig.module.isAdopting && rig.tellSome() && rig.module.isAdopting)
    #expect(try !isEarly(rig, 2))
    #expect(try isEarly(rig, Self.count))
    while rig.tellSome() {}
    #expect(!rig.module.isAdopting)
    #expect(try !isEarly(rig, Self.count - 1))
  }

  @Test("Shares are those of the weights that count, at any time")
  func weights() throws {
    let rig = try rig(policy(.early, "first", weight: 3))
    // A side of each has something to send.
    for port in 1...Self.count {
      rig.guestPort = UInt16(port)
      _ = try rig.guest(at: 100, 500, ack: 100)
    }
    #expect(rig.module.weightInUse == 3 * Self.count)
    rig.begin(try policy(.early, "first", weight: 5))
    repeat { #expect(rig.module.weightInUse == rig.module.weightOfAll()) } while rig.tellSome()
    #expect(rig.module.weightInUse == 5 * Self.count)
  }

  @Test("A policy that comes before all know of the last one is the one that counts")
  func another() throws {
    let rig = try rig(policy(.early, "first"))
    rig.begin(try policy(.snoop, "second"))
    #expect(rig.tellSome())
    rig.begin(try policy(.early, "third"))
    #expect(rig.module.isAdopting)
    while rig.tellSome() {}
    for port in [1, Self.aTurn, Self.aTurn + 1, Self.count] { #expect(try isEarly(rig, port)) }
  }

  @Test("Meanwhile each connection is counted under the name that its class has")
  func classes() throws {
    let rig = try rig(policy(.early, "first"))
    func delivered() throws -> [String: UInt64] {
      rig.module.publish(now: Instant(nanoseconds: rig.now * 1_000_000))
      let classes = try MonitorReader(over: rig.monitorMemory).snapshot().classes
      return Dictionary(uniqueKeysWithValues: classes.map { ($0.name, $0.delivered.network) })
    }
    let before = try #require(try delivered()["first"])
    let other = try Classifier(
      parsing: """
        default mode=early leastRoundTrip=0
        rule guestPort=1000 configuration=default class=nobody
        rule configuration=default class=first
        """, fallback: FlowConfiguration())
    rig.begin(other)
    rig.guestPort = UInt16(Self.count)
    _ = try rig.guest(at: 100, 500, ack: 100)
    _ = try rig.network(at: 100, ack: 600)
    #expect(try delivered() == ["default": 0, "nobody": 0, "first": before + 500])
    while rig.tellSome() {}
    #expect(try delivered() == ["default": 0, "nobody": 0, "first": before + 500])
  }

  @Test("Who goes on with the memory in the middle of it has one policy for all")
  func takenOver() throws {
    let rig = try rig(policy(.early, "first"))
    rig.begin(try policy(.snoop, "second"))
    #expect(rig.tellSome())
    try rig.takeOver()
    for place in 1...Self.count {
      let flow = RecordIndex(rawValue: UInt32(place))
      #expect(rig.module.store.flows[flow].policyTurn == rig.module.policyTurn)
    }
  }
}
