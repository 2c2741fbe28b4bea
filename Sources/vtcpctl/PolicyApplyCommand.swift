// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol

struct PolicyApplyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply",
    abstract: "Puts a policy in force, or tells every mistake of it and leaves the one in force.")

  @Argument(help: "The file; - is standard input.")
  var file: String

  @OptionGroup var places: Places

  func run() throws {
    let text = try Terminal.contents(file)
    // With many NICs it takes a while until each has it.
    Terminal.progress("handing over the policy")
    defer { Terminal.endProgress() }
    let answer = try PolicyText.ofFile(file) { () throws(AdministrationError) in
      try places.service.ask(.put, ["policy"], body: text)
    }
    Terminal.endProgress()
    try places.show(answer)
  }
}
