// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol

struct PolicyRollbackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollback", abstract: "Puts a policy in force again that was before.")

  @Argument(help: "Its revision, as history tells it.")
  var revision: Int

  @OptionGroup var places: Places

  func run() throws {
    try places.show(try places.service.ask(.post, ["policy", "rollback"], [("revision", "\(revision)")]))
  }
}
