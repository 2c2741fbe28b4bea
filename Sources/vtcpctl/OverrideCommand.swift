// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct OverrideCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "override", abstract: "Values that go before policy for a time.",
    subcommands: [OverrideSetCommand.self, OverrideListCommand.self, OverrideRemoveCommand.self])
}
