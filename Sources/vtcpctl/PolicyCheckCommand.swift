// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol

struct PolicyCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Tells every mistake of a policy; changes nothing.")

  @Argument(help: "The file; - is standard input.")
  var file: String

  @OptionGroup var places: Places

  func run() throws {
    let text = try Terminal.contents(file)
    let answer = try PolicyText.ofFile(file) { () throws(AdministrationError) in
      try places.service.ask(.post, ["policy", "check"], body: text)
    }
    try places.show(answer)
  }
}
