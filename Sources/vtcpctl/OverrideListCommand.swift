// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol

struct OverrideListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Those that are in force.")

  @OptionGroup var places: Places

  func run() throws {
    let answer = try places.service.ask(.get, ["overrides"])
    try places.show(answer) { TextTable.lines(objects: $0.array ?? $0["overrides"]?.array ?? []) }
  }
}
