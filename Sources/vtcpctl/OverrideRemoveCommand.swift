// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol

struct OverrideRemoveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "remove", abstract: "Ends one before its time.")

  @Argument(help: "Its identifier, as list tells it.")
  var identifier: String

  @OptionGroup var places: Places

  func run() throws {
    try places.show(try places.service.ask(.delete, ["overrides", identifier]))
  }
}
