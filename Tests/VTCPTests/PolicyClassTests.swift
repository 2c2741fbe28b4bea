// SPDX-License-Identifier: Apache-2.0

import Monitoring
import TCPPolicy
import Testing
import Timekeeping

@testable import Simulation
@testable import VTCP

/// R17, R18: what policy may ask for beyond addresses, and what connections of a class came to.
struct PolicyClassTests {
  private static let expedited: UInt8 = 46

  /// Connections whose SYN has the code point are of a class and a configuration of their own.
  private func policy(mode: AccelerationMode, _ classNames: String...) throws -> Classifier {
    let name = try #require(PolicyName("own"))
    var configuration = FlowConfiguration()
    configuration.acknowledgmentDelay = .zero
    configuration.leastRoundTrip = .zero
    configuration.mode = mode
    var match = FlowMatch()
    match.dscp = Self.expedited
    // A rule that nothing matches takes a class's number.
    var nobody = FlowMatch()
    nobody.transportProtocol = 0
    let classes = try classNames.map { try #require(PolicyName($0)) }
    let rules =
      classes.dropLast().map { PolicyRule(nobody, configuration: name, flowClass: $0) }
      + [PolicyRule(match, configuration: name, flowClass: classes[classes.count - 1])]
    return try Classifier(rules: rules, configurations: [NamedConfiguration(name: name, configuration: configuration)])
  }

  private func snapshot(_ rig: ModuleRig) throws -> MonitorSnapshot {
    rig.module.publish(now: Instant(nanoseconds: rig.now * 1_000_000))
    return try MonitorReader(over: rig.monitorMemory).snapshot()
  }

  /// One connection with the code point and one without, each with 500 octets of the guest on their way.
  private func talk(_ rig: ModuleRig) throws {
    for (port, point) in [(1, Self.expedited), (2, 0)] as [(UInt16, UInt8)] {
      rig.guestPort = port
      // The code point of the first SYN counts, whatever the others have.
      try rig.openAndTalk { $0.ecn = $0.has(ModelSegment.ack) ? 10 << 2 : point << 2 }
      _ = try rig.network(at: 100, ack: 100)
      _ = try rig.guest(at: 100, 500, ack: 100)
    }
  }

  @Test("R17: a rule may ask for the code point of the first SYN")
  func codePoint() throws {
    let rig = try ModuleRig(policy: policy(mode: .off, "calls"))
    try talk(rig)
    #expect(rig.module.flowCount == 1)
  }

  @Test("R18: each class counts its own connections, and goes on under its name when policy changes")
  func classes() throws {
    let rig = try ModuleRig(policy: policy(mode: .early, "calls"))
    try talk(rig)
    let first = try snapshot(rig)
    #expect(first.classes.map(\.name) == ["default", "calls"])
    #expect(first.classes.map(\.flows) == [1, 1])
    #expect(first.classes.map { $0.total(.segments, isNetwork: false) } == [2, 2])
    #expect(first.classes.map(\.delivered.network) == [100, 100])
    rig.adopt(try policy(mode: .early, "web", "calls"))
    rig.guestPort = 1
    _ = try rig.guest(at: 600, 500, ack: 100)
    _ = try rig.network(at: 100, ack: 1100)
    let second = try snapshot(rig)
    #expect(second.classes.map(\.name) == ["default", "web", "calls"])
    #expect(second.classes.map(\.flows) == [1, 0, 1])
    #expect(second.classes.map { $0.total(.segments, isNetwork: false) } == [2, 0, 3])
    #expect(second.classes.map(\.delivered.network) == [100, 0, 1100])
    #expect(second.flows.map(\.classNumber) == [2, 0])
  }
}
