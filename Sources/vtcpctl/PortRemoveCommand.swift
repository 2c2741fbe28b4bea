// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol

struct PortRemoveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Ends a NIC, and takes its socket away.")

  @Argument(help: "Its name.")
  var nic: String

  @OptionGroup var places: Places

  func run() throws {
    try places.show(try places.service.ask(.delete, ["nics", nic]))
  }
}
