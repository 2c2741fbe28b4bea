// SPDX-License-Identifier: Apache-2.0

// vtcp-relay: a link between two interfaces that delays, loses, reorders and damages frames, from a seed. A
// tool for tests with real kernels; what it does to frames is in `Impairment`.

import Polling

/// Returns the exit status: 0, 1 (the system refused something) or 2 (a mistake on the command line).
func run(_ words: [String]) -> Int32 {
  let log = Log(level: .info, prefix: "vtcp-relay")
  let options: RelayOptions
  do {
    options = try RelayOptions(parsing: words)
  } catch {
    log.error("\(error)")
    return 2
  }
  guard !options.wantsHelp else {
    Log.output(RelayOptions.help)
    return 0
  }
  do {
    let relay = try Relay(options, signals: try SignalDescriptor())
    log.info("relaying from \(options.ends[0]) to \(options.ends[1]) and back, seed \(options.seed)")
    try relay.run()
    return 0
  } catch {
    log.error("\(error)")
    return 1
  }
}

Process.exit(run(Array(CommandLine.arguments.dropFirst())))
