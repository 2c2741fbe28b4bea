// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol

struct PolicyHistoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "The policies that were in force: revision, when, and by whom.")

  @OptionGroup var places: Places

  func run() throws {
    let answer = try places.service.ask(.get, ["policy", "history"])
    try places.show(answer) {
      TextTable.lines(objects: $0.array ?? $0["revisions"]?.array ?? $0["history"]?.array ?? [])
    }
  }
}
