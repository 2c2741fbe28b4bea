// SPDX-License-Identifier: Apache-2.0

// vtcp-bench: measurements. Of the datapath in memory (`allocations`, `time`, `tables`,
// `instruction-work`), and the parts of the bench that puts any vhost-user back-end on
// the same work (`front-end`, `generate`, `round-trip`, `flood`, `sink`, `standstills`).

import Polling

let commands = "allocations, time, tables, instruction-work, front-end, generate, round-trip, flood, sink, standstills"

/// Returns the exit status: 0, 1 (a bound is broken) or 2 (a mistake on the command line).
func run(_ arguments: [String]) -> Int32 {
  let log = Log(level: .warning, prefix: "vtcp-bench")
  do {
    let words = arguments.dropFirst()
    switch arguments.first {
    case "allocations":
      let options = try Arguments(words, options: [], switches: ["--callers"])
      return try AllocationCount.run(showsCallers: options.isOn("--callers")) ? 0 : 1
    case "time": try FrameTime.run(words)
    case "tables": return try ArenaTime.run(words) ? 0 : 1
    case "instruction-work": try InstructionWork.run()
    case "front-end": try FrontEnd.run(words)
    case "generate": try Generator.run(words)
    case "round-trip": try RoundTrip.run(words)
    case "flood": try Flood.run(words)
    case "sink": try Flood.sink(words)
    case "standstills": try Standstills.run(words)
    default:
      log.error("use vtcp-bench COMMAND [OPTION...]: \(commands)")
      return 2
    }
    return 0
  } catch {
    log.error("\(error)")
    return 1
  }
}

Process.exit(run(Array(CommandLine.arguments.dropFirst())))
