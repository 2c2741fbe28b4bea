// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import Polling

/// Runs a command and ends with the status that says how it came out: 0 done, 1 failed, 2 it can't be meant so, 3 nobody answers.
enum Program {
  static func run(_ arguments: [String]) -> Never {
    do {
      var command = try VTCPControl.parseAsRoot(arguments)
      try command.run()
      Process.exit(0)
    } catch let error as AdministrationError {
      end(error)
    } catch {
      end(error, arguments)
    }
  }

  private static func end(_ error: AdministrationError) -> Never {
    // What failed before may have said all there is to say.
    if !error.description.isEmpty { Terminal.tell("vtcpctl: \(error)\n") }
    Process.exit(error.status)
  }

  private static func end(_ error: any Error, _ arguments: [String]) -> Never {
    let code = VTCPControl.exitCode(for: error)
    let text = VTCPControl.fullMessage(for: error)
    guard !code.isSuccess else {
      Log.output(text + "\n")
      Process.exit(0)
    }
    if let hint = SubcommandHint.sentence(arguments, VTCPControl.trees), code == .validationFailure {
      Terminal.tell("vtcpctl: \(hint)\n")
    } else {
      Terminal.tell(text + "\n")
    }
    Process.exit(code == .validationFailure ? 2 : 1)
  }
}

extension ParsableCommand {
  /// What may follow the command.
  static var trees: [SubcommandHint.Tree] {
    configuration.subcommands.map { .command($0._commandName, $0.trees) }
  }
}
