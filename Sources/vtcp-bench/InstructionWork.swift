// SPDX-License-Identifier: Apache-2.0

import CCounting
import Polling

/// The work over which `Scripts/instructions` counts.
///
/// Each scenario makes its turns twice, with some frames and with twice as many: the difference is what the frames cost,
/// without what a turn costs. Callgrind collects inside `Rig.turnUntilIdle` and `ModuleLoad.turn` only, and writes a part when
/// `vtcp_counting_mark` is called; a line on standard output says what each part is of.
enum InstructionWork {
  private static let turns = 16

  static func run() throws {
    vtcp_counting_mark()
    Log.output("start 0\n")
    for scenario in Scenario.counted {
      let rig = try Rig(scenario)
      rig.wantNotifications(false)
      try rig.warmUp(frames: 2 * scenario.countedFrames)
      // The warm-up's part is of no interest.
      vtcp_counting_mark()
      Log.output("warm-up 0\n")
      for frames in [scenario.countedFrames, 2 * scenario.countedFrames] {
        for _ in 0..<turns {
          try rig.prepare(frames)
          rig.turnUntilIdle()
          try rig.finish(frames)
        }
        vtcp_counting_mark()
        Log.output("\(scenario.title) \(turns * frames)\n")
      }
    }
    for isHeld in [false, true] { try run(isHeld: isHeld) }
  }

  /// The vTCP module by itself: a segment that passes it, and its acknowledgment.
  private static func run(isHeld: Bool) throws {
    let load = try ModuleLoad(isMonitored: true, isHeld: isHeld)
    vtcp_counting_mark()
    Log.output("warm-up 0\n")
    for count in [turns, 2 * turns] {
      for _ in 0..<count { load.turn() }
      vtcp_counting_mark()
      Log.output("module 1448 transmit \(isHeld ? "kept" : "watched") \(count * ModuleLoad.batch)\n")
    }
  }
}
