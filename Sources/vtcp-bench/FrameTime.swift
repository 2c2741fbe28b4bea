// SPDX-License-Identifier: Apache-2.0

import Polling
import Timekeeping
import Uplinks

/// How long a frame takes through the NIC: the least of many repetitions.
enum FrameTime {
  private static let repetitions = 50
  private static let turns = 100

  static func run(_ words: some Sequence<String>) throws {
    let arguments = try Arguments(words, options: ["--uplink", "--peer"])
    guard let uplink = arguments["--uplink"] else { return try run() }
    try run(uplink: uplink, peer: arguments.required("--peer"))
  }

  /// Through the null uplink, which leaves out the network.
  private static func run() throws {
    Log.output(Table.row("", ["ns per frame"]))
    for scenario in Scenario.all where scenario.direction == .transmit && scenario.network == .null {
      try measure(scenario, title: "\(scenario.format) \(scenario.name)", frames: 128)
    }
    try HeaderTime.run()
    try ClassifierTime.run()
    try ModuleTime.run()
  }

  /// Through an uplink of the system, the kernel included. Frames to be received are sent by a packet socket on `peer`.
  private static func run(uplink: String, peer: String) throws {
    let network = Scenario.Network.system(
      try UplinkSpecification(parsing: uplink), peer: try UplinkSpecification(parsing: "packet:\(peer)"))
    Log.output(Table.row("", ["ns per frame"]))
    for counted in Scenario.counted where counted.network == .socket && counted.pairs == 1 {
      var scenario = counted
      scenario.network = network
      try measure(scenario, title: scenario.title, frames: scenario.content == .large ? 8 : 128)
    }
  }

  private static func measure(_ scenario: Scenario, title: String, frames: Int) throws {
    let rig = try Rig(scenario)
    rig.wantNotifications(false)
    try rig.warmUp()
    var least = Int64.max
    for _ in 0..<repetitions { least = min(least, try repetition(rig, frames)) }
    Log.output(Table.row(title, [Table.decimal(Double(least) / Double(turns * frames))]))
  }

  /// Nanoseconds in the NIC.
  private static func repetition(_ rig: Rig, _ frames: Int) throws -> Int64 {
    var total: Int64 = 0
    for _ in 0..<turns {
      try rig.prepare(frames)
      let start = MonotonicClock.now()
      rig.turnUntilIdle()
      total += (MonotonicClock.now() - start).nanoseconds
      try rig.finish(frames)
    }
    return total
  }
}

extension CountedLoad {
  /// Runs until everything that is done once has been done.
  func warmUp(frames: Int = 8) throws {
    for _ in 0..<64 {
      try prepare(frames)
      while turn() {}
      try finish(frames)
    }
  }
}
