// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol

struct PolicyDiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "What would change for whom if a policy were put in force; changes nothing.")

  @Argument(help: "The file; - is standard input.")
  var file: String

  @OptionGroup var places: Places

  func run() throws {
    let text = try Terminal.contents(file)
    let answer = try PolicyText.ofFile(file) { () throws(AdministrationError) in
      try places.service.ask(.post, ["policy", "diff"], body: text)
    }
    try places.showText(answer)
  }
}
