// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import TCPPolicy
import Testing
import Timekeeping
import Wire

@testable import Simulation
@testable import VTCP

/// What policy says of one connection and not of another.
struct PolicyTests {
  /// A rule for each guest port, in order from 1 on.
  static func policy(_ changes: [(inout FlowConfiguration) -> Void]) throws -> Classifier {
    var rules: [PolicyRule] = []
    var configurations: [NamedConfiguration] = []
    for (place, change) in changes.enumerated() {
      let name = try #require(PolicyName("port\(place + 1)"))
      var configuration = FlowConfiguration()
      configuration.acknowledgmentDelay = .zero
      configuration.leastRoundTrip = .zero
      change(&configuration)
      configurations.append(NamedConfiguration(name: name, configuration: configuration))
      var match = FlowMatch()
      match.guest = EndpointMatch(port: UInt16(place + 1))
      rules.append(PolicyRule(match, configuration: name))
    }
    return try Classifier(rules: rules, configurations: configurations)
  }

  @Test("Each connection is in the mode that the first rule for it says; of one that is off nothing is kept")
  func modes() throws {
    let rig = try ModuleRig(policy: Self.policy([{ $0.mode = .off }, { $0.mode = .snoop }, { $0.mode = .early }]))
    var early: [Int] = []
    for port in 1...3 {
      rig.guestPort = UInt16(port)
      try rig.openAndTalk()
      let passed = try rig.network(at: 100, 500, ack: 100)
      #expect(passed?.payloadCount == 500)
      early.append(try rig.emissions(to: .network).count)
    }
    #expect(early == [0, 0, 1])
    #expect(rig.module.flowCount == 2)
    // The one in between is repaired here all the same.
    #expect(try rig.passTime())
    #expect(Set(try rig.emissions(to: .guest).map(\.guestPort)) == [2, 3])
  }

  @Test("A policy in which every rule says off has nothing followed, whatever its presets say")
  func offForAll() throws {
    var off = FlowConfiguration()
    off.mode = .off
    #expect(try Classifier(fallback: off).isOff)
    let rig = try ModuleRig(policy: Classifier(fallback: off))
    try rig.openAndTalk()
    #expect(rig.module.flowCount == 0)
    #expect(try !Classifier().isOff)
  }

  /// A connection for each weight, of guest ports from 1 on, whose guest sends as the windows let it.
  private func connections(
    _ weights: [Int], chunkLimit: Int, _ set: @escaping (inout FlowConfiguration, UInt8) -> Void
  ) throws -> ModuleRig {
    let policy = try Self.policy(
      weights.map { weight in
        {
          set(&$0, UInt8(weight))
          $0.congestionAlgorithm = .none
          $0.isPaced = false
        }
      })
    let rig = try ModuleRig(policy: policy) { $0.chunkLimit = chunkLimit }
    for place in weights.indices {
      rig.guestPort = UInt16(place + 1)
      try rig.open {
        $0.windowScale = 7
        $0.window = 8
      }
      _ = try rig.guest(at: 0, 100)
      _ = try rig.network(ack: 100, window: 8)
    }
    return rig
  }

  @Test("R42: what connections hold that all want more than there is comes to be as their weights, and a third is left")
  func bufferShares() throws {
    let weights = [1, 2, 5]
    let chunkLimit = 128
    let rig = try connections(weights, chunkLimit: chunkLimit) { $0.bufferWeight = $1 }
    var streams = weights.map { _ in (sent: 100, edge: 1100, arrived: 100, acknowledged: 100) }
    for _ in 0..<600 {
      var told: [ModelSegment] = []
      for place in weights.indices {
        rig.guestPort = UInt16(place + 1)
        var stream = streams[place]
        // More than the receiver reads, but not all that the window lets it: what finds no room comes again in each round.
        for _ in 0..<5 where stream.edge - stream.sent >= 1000 {
          if try rig.guest(at: stream.sent, 1000) != nil { stream.arrived = stream.sent + 1000 }
          stream.sent += 1000
        }
        // A receiver that reads three segments in each round.
        stream.acknowledged = min(stream.acknowledged + 3000, stream.arrived)
        if let passed = try rig.network(ack: stream.acknowledged, window: 16) { told.append(passed) }
        streams[place] = stream
      }
      rig.tick(10)
      for segment in try rig.emissions(to: .network) {
        let place = Int(segment.guestPort) - 1
        streams[place].arrived = max(streams[place].arrived, rig.place(segment, to: .network) + segment.payloadCount)
      }
      for segment in try told + rig.emissions(to: .guest) {
        let place = Int(segment.guestPort) - 1
        let acknowledged = rig.acknowledged(segment, to: .guest)
        streams[place].edge = max(streams[place].edge, acknowledged + Int(segment.window) << 7)
        // What was dropped is sent again.
        if segment.payloadCount == 0, streams[place].sent > acknowledged { streams[place].sent = acknowledged }
      }
    }
    let held = try (1...3).map { number in
      let side = try #require(rig.module.view(at: number)).transmit
      return Double(side.heldEnd - side.heldStart)
    }
    let unit = held.reduce(0, +) / 8
    for (octets, weight) in zip(held, weights) {
      #expect(abs(octets / unit / Double(weight) - 1) < 0.15, "\(held), weights \(weights)")
    }
    let part = Double(rig.module.heldChunks) / Double(chunkLimit)
    #expect(abs(part - 2 / 3) < 0.1, "\(rig.module.heldChunks) chunks of \(chunkLimit)")
  }

  @Test("R43: connections that have more than a leg takes get turns as their weights")
  func servingShares() throws {
    let weights = [1, 2, 4]
    let rig = try connections(weights, chunkLimit: 4096) { $0.servingWeight = $1 }
    for place in weights.indices {
      rig.guestPort = UInt16(place + 1)
      _ = try rig.guest(at: 100, 1000)
      _ = try rig.network(ack: 600, window: 8)
      for segment in 1...900 { _ = try rig.guest(at: 100 + 1000 * segment, 1000) }
      _ = try rig.emissions(to: .guest)
    }
    _ = try rig.emissions(to: .network)
    // Their receivers open at last, and the leg takes three rounds of what they have.
    for place in weights.indices {
      rig.guestPort = UInt16(place + 1)
      _ = try rig.network(ack: 1100, window: 60_000)
    }
    var octets = [0.0, 0.0, 0.0]
    for segment in try rig.emissions(to: .network, atMost: 1260) {
      octets[Int(segment.guestPort) - 1] += Double(segment.payloadCount)
    }
    let unit = octets.reduce(0, +) / 7
    for (count, weight) in zip(octets, weights) {
      #expect(abs(count / unit / Double(weight) - 1) < 0.1, "\(octets), weights \(weights)")
    }
  }
}
