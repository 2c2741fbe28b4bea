// SPDX-License-Identifier: Apache-2.0

// vtcp-api: HTTP for vtcpd. See HTTPGateway.

import Foundation
import Polling

/// Returns the exit status: 0, 1 (the system refused something) or 2 (a mistake on the command line).
func run() async -> Int32 {
  let log = Log(level: .info, prefix: "vtcp-api")
  do {
    let options = try APIOptions(parsing: Array(CommandLine.arguments.dropFirst()))
    switch options.question {
    case .help:
      Log.output(APIOptions.help)
      return 0
    case .document:
      Log.output(HTTPGateway.documentText)
      return 0
    case nil: break
    }
    try await APIServer(options, log).run()
    return 0
  } catch let error as APIOptionsError {
    log.error("\(error)")
    return 2
  } catch {
    log.error("\(error)")
    return 1
  }
}

EndSignals.take()
exit(await run())
