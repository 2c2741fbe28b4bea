// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct PortCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "port", abstract: "Virtual NICs that wait for a guest.",
    subcommands: [PortAddCommand.self, PortRemoveCommand.self])
}
