// SPDX-License-Identifier: Apache-2.0

// vtcpd: the host service. See docs/host-service.md.

import ControlProtocol
import HostService
import HostSystem
import Polling
import Sandbox

/// Reads what it is told, gives up what it does not need, and serves. Returns the exit status: 0, 1 (the system refused something) or 2 (a
/// mistake on the command line or in the configuration).
func run() -> Int32 {
  var log = Log(level: .info, prefix: "vtcpd")
  do {
    let options = try ServiceOptions(parsing: Array(CommandLine.arguments.dropFirst()))
    log = Log(level: options.logLevel, prefix: "vtcpd")
    switch options.question {
    case .help: Log.output(ServiceUsage.help)
    case .version: Log.output("vtcpd \(ServiceUsage.version)\n")
    case .check: try ServiceStart.check(options)
    case nil: try ServiceStart.serve(options, log)
    }
    return 0
  } catch {
    log.error("\(error)")
    return (error as? ServiceError)?.status == .mistaken ? 2 : 1
  }
}

Process.exit(run())
