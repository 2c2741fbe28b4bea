// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol

struct UpgradeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "upgrade",
    abstract: "Has NICs go on with the program that is installed now; connections and QEMU notice nothing.")

  @Argument(help: "The NICs' names; without, all.")
  var nics: [String] = []

  @OptionGroup var places: Places

  func run() throws {
    let names = nics.isEmpty ? try places.nicNames() : nics
    var answers: [JSONValue] = []
    for (place, name) in names.enumerated() {
      Terminal.progress("\(place + 1) of \(names.count): \(name)")
      let answer: JSONValue
      do throws(AdministrationError) {
        answer = try places.service.ask(.post, ["nics", name, "upgrade"])
      } catch {
        Terminal.endProgress()
        throw AdministrationError.failed("\(name): \(error); \(place) of \(names.count) were upgraded")
      }
      answers.append(answer)
    }
    Terminal.endProgress()
    try places.show(.array(answers)) { TextTable.lines(objects: $0.array ?? []) }
  }
}
