// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct PolicyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy", abstract: "The policy of this host's NICs: which connections are treated how.",
    subcommands: [
      PolicyCheckCommand.self, PolicyShowCommand.self, PolicyApplyCommand.self, PolicyDiffCommand.self,
      PolicyHistoryCommand.self, PolicyRollbackCommand.self,
    ])
}
