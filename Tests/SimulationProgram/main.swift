// SPDX-License-Identifier: Apache-2.0
import Glibc
import Simulation

// vtcp-simulate FIRST COUNT [GENERATION] [--trace]: runs random schedules of these seeds; says which break an invariant, and how.
// vtcp-simulate --transfers: prints what docs/transfers.txt says.
// vtcp-simulate --sharing: prints what docs/sharing.txt says.
// vtcp-simulate --replay FILE [--json | --trace]: our congestion control on a kernel's schedule (RecordedSchedule): how far the windows lie apart.
if CommandLine.arguments.contains("--transfers") {
  print(try TransferTable.text(), terminator: "")
  exit(0)
}
if CommandLine.arguments.contains("--sharing") {
  print(try SharingTable.text(), terminator: "")
  exit(0)
}
if CommandLine.arguments.count >= 3, CommandLine.arguments[1] == "--replay" {
  let schedule = try RecordedSchedule(contents(of: CommandLine.arguments[2]))
  if CommandLine.arguments.contains("--trace") {
    for window in Replay(schedule).windows { print(window) }
  }
  let agreement = Agreement(schedule)
  print(CommandLine.arguments.contains("--json") ? agreement.json : agreement.description)
  exit(agreement.isWithinBound ? 0 : 1)
}
let arguments = CommandLine.arguments.dropFirst().compactMap { UInt64($0) }
let isTracing = CommandLine.arguments.contains("--trace")
guard arguments.count == 2 || arguments.count == 3 else {
  print(
    "usage: vtcp-simulate FIRST-SEED COUNT [GENERATION] [--trace] | --transfers | --sharing | --replay FILE [--json | --trace]"
  )
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

func contents(of path: String) throws -> String {
  guard let file = fopen(path, "r") else { throw Broken("\(path) can't be read") }
  defer { fclose(file) }
  var octets: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { octets += buffer[..<count] }
  return String(decoding: octets, as: UTF8.self)
}
