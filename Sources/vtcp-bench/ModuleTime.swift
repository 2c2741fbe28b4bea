// SPDX-License-Identifier: Apache-2.0

import CCounting
import Polling
import Timekeeping

/// What the vTCP module costs by itself, without statistics and with them: the least of many repetitions, in turns.
enum ModuleTime {
  private static let repetitions = 200
  private static let turns = 20

  static func run() throws {
    let loads = [
      try ModuleLoad(isMonitored: false, isHeld: false), try ModuleLoad(isMonitored: true, isHeld: false),
      try ModuleLoad(isMonitored: false), try ModuleLoad(isMonitored: true),
    ]
    var least = Array(repeating: Int64.max, count: loads.count)
    for _ in 0..<repetitions {
      for (place, load) in loads.enumerated() {
        let start = MonotonicClock.now()
        for _ in 0..<turns { load.turn() }
        least[place] = min(least[place], (MonotonicClock.now() - start).nanoseconds)
      }
    }
    Log.output(Table.row("vTCP: 1448 octets passed on, acknowledged", ["ns each"]))
    let titles = [
      "watched, without statistics", "watched, with statistics", "kept, acknowledged early, without statistics",
      "kept, acknowledged early, with statistics",
    ]
    for (title, span) in zip(titles, least) {
      Log.output(Table.row(title, [Table.decimal(Double(span) / Double(turns * ModuleLoad.batch))]))
    }
  }

  /// Prints what a segment allocates and counts, without statistics and with them. True if it is nothing.
  static func isFree() throws -> Bool {
    let bare = try isFree("vTCP: allocations, references", isMonitored: false)
    return try isFree("vTCP with statistics: allocations, references", isMonitored: true) && bare
  }

  private static func isFree(_ title: String, isMonitored: Bool) throws -> Bool {
    let load = try ModuleLoad(isMonitored: isMonitored)
    let counts = withExtendedLifetime(load) {
      vtcp_counting_start()
      for _ in 0..<turns { load.turn() }
      return vtcp_counting_stop()
    }
    let segments = Double(turns * ModuleLoad.batch)
    let allocations = Double(counts.allocations + counts.frees) / segments
    let references = Double(counts.retains + counts.releases) / segments
    Log.output(
      Table.row(title, [allocations, references].map(Table.decimal)))
    return allocations == 0
  }
}
