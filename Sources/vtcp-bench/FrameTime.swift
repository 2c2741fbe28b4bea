// SPDX-License-Identifier: Apache-2.0

import Polling
import Timekeeping

/// How long a frame takes through the NIC to the null uplink: the least of many repetitions.
enum FrameTime {
  private static let repetitions = 50
  private static let turns = 100
  private static let frames = 128

  static func run() throws {
    Log.output(Table.row("", ["ns per frame"]))
    for scenario in Scenario.all where scenario.direction == .transmit && scenario.network == .null {
      let rig = try Rig(scenario)
      rig.wantNotifications(false)
      try rig.warmUp()
      var least = Int64.max
      for _ in 0..<repetitions { least = min(least, try repetition(rig)) }
      Log.output(
        Table.row("\(scenario.format) \(scenario.name)", [Table.decimal(Double(least) / Double(turns * frames))]))
    }
  }

  /// Nanoseconds in the NIC.
  private static func repetition(_ rig: Rig) throws -> Int64 {
    var total: Int64 = 0
    for _ in 0..<turns {
      try rig.prepare(frames)
      let start = MonotonicClock.now()
      _ = rig.turn()
      total += (MonotonicClock.now() - start).nanoseconds
      try rig.finish(frames)
    }
    return total
  }
}

extension Rig {
  /// Runs until everything that is done once has been done.
  func warmUp(frames: Int = 8) throws {
    for _ in 0..<64 {
      try prepare(frames)
      while turn() {}
      try finish(frames)
    }
  }
}
