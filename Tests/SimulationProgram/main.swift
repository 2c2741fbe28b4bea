// SPDX-License-Identifier: Apache-2.0
import Glibc
import Simulation

// vtcp-simulate FIRST COUNT [GENERATION] [--trace]: runs random schedules of these seeds; says which break an invariant, and how.
// vtcp-simulate --transfers: prints what docs/transfers.txt says.
if CommandLine.arguments.contains("--transfers") {
  print(try TransferTable.text(), terminator: "")
  exit(0)
}
let arguments = CommandLine.arguments.dropFirst().compactMap { UInt64($0) }
let isTracing = CommandLine.arguments.contains("--trace")
guard arguments.count == 2 || arguments.count == 3 else {
  print("usage: vtcp-simulate FIRST-SEED COUNT [GENERATION] [--trace] | --transfers")
  exit(2)
}
let generation = arguments.count == 3 ? Int(arguments[2]) : Schedule.generations
let slots = FrameSlots()
var failures = 0
var frames = 0
var accelerated = 0
var stored: UInt64 = 0
for seed in arguments[0]..<(arguments[0] + arguments[1]) {
  do {
    let simulation = try Simulation(Schedule.random(seed: seed, generation: generation), slots: slots)
    if isTracing { simulation.trace = { print($0) } }
    try simulation.run()
    frames += simulation.frames
    if simulation.hasAccelerated { accelerated += 1 }
    stored += simulation.storedSegments
  } catch {
    failures += 1
    print("seed \(seed): \(error)")
    fflush(nil)
    if failures == 20 { break }
  }
}
print(
  "\(arguments[1]) schedules from seed \(arguments[0]): \(frames) frames, \(accelerated) accelerated, "
    + "\(stored) segments kept out of order, \(failures) broken"
)
exit(failures == 0 ? 0 : 1)
