// SPDX-License-Identifier: Apache-2.0

// vtcp-bench: measurements of the datapath in memory, without a guest.

import Polling

/// Returns the exit status: 0, 1 (a bound is broken) or 2 (a mistake on the command line).
func run(_ arguments: [String]) -> Int32 {
  let log = Log(level: .warning, prefix: "vtcp-bench")
  do {
    switch arguments {
    case ["allocations"]: return try AllocationCount.run() ? 0 : 1
    case ["allocations", "--callers"]: return try AllocationCount.run(showsCallers: true) ? 0 : 1
    case ["time"]:
      try FrameTime.run()
      return 0
    case ["instruction-work"]:
      try InstructionWork.run()
      return 0
    default:
      log.error("use vtcp-bench allocations [--callers], vtcp-bench time, or vtcp-bench instruction-work")
      return 2
    }
  } catch {
    log.error("\(error)")
    return 1
  }
}

Process.exit(run(Array(CommandLine.arguments.dropFirst())))
