// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import TCPPolicy
import Testing
import Timekeeping

@testable import Simulation
@testable import VTCP

/// What `Scripts/bench --only policy` measures with kernels, on a machine that is never quiet enough for one in twenty: here to the nanosecond.
@Suite("R44: policy that changes for others")
struct UnconcernedTests {
  /// Two hundred rules, none of them for the connection.
  private static func policy(size: Int, _ flow: FlowConfiguration) throws -> Classifier {
    let rules = (1...200).map { "rule guestPort=\($0) configuration=own" }
    let text = ["configuration own transmitBufferSize=\(size)KiB"] + rules
    return try Classifier(parsing: text.joined(separator: "\n") + "\n", fallback: flow)
  }

  /// Every frame and every window of a transfer, while policy changes as often as that; never if nil.
  private func run(_ schedule: Schedule, octets: Int, every interval: Int64?) throws -> (log: [String], changes: Int) {
    let simulation = try Simulation(schedule)
    let flow = simulation.moduleConfiguration.flow
    let policies = try [64, 128].map { try Self.policy(size: $0, flow) }
    var log: [String] = []
    var changes = 0
    simulation.trace = { log.append($0) }
    var due = simulation.now + (interval ?? 0)
    try simulation.pump()
    while max(simulation.network.received, simulation.guest.received) <= octets {
      if let interval, simulation.now >= due {
        simulation.module.adopt(policies[changes % 2], flow: flow, now: Instant(nanoseconds: simulation.now))
        changes += 1
        due += interval
      }
      try simulation.step()
      guard let view = simulation.view else { continue }
      log.append("\(simulation.now) \(view.transmit.congestionWindow) \(view.receive.congestionWindow)")
    }
    return (log, changes)
  }

  @Test(
    "Of a connection that it is not about every frame leaves when it would have, to the nanosecond, and every window is what it would have been",
    arguments: [.cubic, .bbr] as [CongestionAlgorithm], [Leg.network, .guest])
  func framesAreTheSame(_ algorithm: CongestionAlgorithm, _ direction: Leg) throws {
    for stalls in [false, true] {
      let transfer = SimulatedTransfer(
        direction, roundTrip: 20, rate: 50, queue: 0.5, loss: 5, octets: 600_000, stalls: stalls)
      var schedule = transfer.schedule
      schedule.module.flow.mode = .early
      schedule.module.flow.congestionAlgorithm = algorithm
      let without = try run(schedule, octets: transfer.octets, every: nil)
      let with = try run(schedule, octets: transfer.octets, every: 20_000_000)
      #expect(with.changes > 10 && without.log.count > 1000, "\(with.changes) changes, \(without.log.count) lines")
      let first = zip(with.log, without.log).first { $0 != $1 }
      #expect(with.log.count == without.log.count && first == nil, "\(first.map { "\($0.0) | \($0.1)" } ?? "")")
    }
  }
}
