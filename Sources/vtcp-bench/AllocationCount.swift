// SPDX-License-Identifier: Apache-2.0

import CCounting
import Polling

/// Counts the calls of the allocator and of reference counting that the datapath makes: per frame there is none.
///
/// A turn with 32 frames is compared with one of a single frame: what differs is per frame, what is left is per turn.
/// A turn with 64 frames shows what a second batch costs. Of large frames the turns have 1, 2 and 3. A policy's lookup, once for each
/// connection, allocates nothing either.
enum AllocationCount {
  private static let turns = 256

  /// Prints a table. True if nothing was allocated and nothing was counted per frame.
  static func run(showsCallers: Bool = false) throws -> Bool {
    Log.output(
      Table.row(
        "", ["allocations", "references", "references", "references", "exclusivity"])
        + Table.row("", ["per turn", "per frame", "per batch", "per turn", "per frame"]))
    guard countingWorks() else { throw BenchError("calls are not counted: is the Swift runtime linked dynamically?") }
    var isClean = true
    for scenario in Scenario.all { isClean = try isFree(Rig(scenario), showsCallers) && isClean }
    for scenario in AcceleratedScenario.all { isClean = try isFree(AcceleratedRig(scenario), showsCallers) && isClean }
    isClean = try ClassifierTime.isFree() && isClean
    vtcp_counting_forget_callers()
    isClean = try ModuleTime.isFree() && isClean
    if showsCallers { printCallers() }
    if !isClean { Log.output("FAILED: allocations, or reference counting per frame\n") }
    return isClean
  }

  private static func isFree<Load: CountedLoad>(_ load: Load, _ showsCallers: Bool) throws -> Bool {
    vtcp_counting_forget_callers()
    let frames = load.isLarge ? 2 : 32
    try load.warmUp(frames: load.isLarge ? 1 : 8)
    let one = try count(load, frames: 1)
    let batch = try count(load, frames: frames)
    let two = try count(load, frames: load.isLarge ? 3 : 64)
    let more = Double(frames - 1)
    let perFrame = (batch.references - one.references) / more
    Log.output(
      Table.row(
        load.title,
        [
          Table.decimal(two.allocations), Table.decimal(perFrame),
          Table.decimal(two.references - batch.references - (load.isLarge ? 1 : 32) * perFrame),
          Table.decimal(one.references - perFrame),
          Table.decimal((batch.accesses - one.accesses) / more),
        ]))
    if showsCallers { printCallers() }
    return batch.allocations == 0 && two.allocations == 0 && perFrame == 0
  }

  /// Means of one turn.
  private static func count<Load: CountedLoad>(
    _ load: Load, frames: Int
  ) throws -> (allocations: Double, references: Double, accesses: Double) {
    var allocations: UInt64 = 0
    var references: UInt64 = 0
    var accesses: UInt64 = 0
    for _ in 0..<turns {
      try load.prepare(frames)
      vtcp_counting_start()
      while load.turn() {}
      let counts = vtcp_counting_stop()
      try load.finish(frames)
      allocations += counts.allocations + counts.frees
      references += counts.retains + counts.releases
      accesses += counts.accesses
    }
    return (Double(allocations) / Double(turns), Double(references) / Double(turns), Double(accesses) / Double(turns))
  }

  /// That a zero means something: an object that is made and dropped is seen.
  private static func countingWorks() -> Bool {
    vtcp_counting_start()
    var objects: [BenchError] = []
    objects.append(BenchError("one that lies on the heap"))
    let copy = objects
    objects.append(BenchError("another one"))
    let counts = vtcp_counting_stop()
    return copy.count < objects.count && counts.allocations >= 2 && counts.frees > 0 && counts.releases > 0
  }

  private static func printCallers() {
    var index: Int32 = 0
    var calls: UInt64 = 0
    while case let caller = vtcp_counting_caller(index, &calls), caller != 0 {
      Log.output("    0x\(String(caller, radix: 16)) \(calls)\n")
      index += 1
    }
  }
}
