// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol

struct DrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drain",
    abstract: "Has a NIC acknowledge nothing early any more, and waits until all that it has acknowledged is delivered."
  )

  @Argument(help: "The NIC's name.")
  var nic: String?

  @OptionGroup var places: Places

  func run() throws {
    Terminal.progress("waiting until all is delivered")
    defer { Terminal.endProgress() }
    if let path = places.nicControl {
      let lines = try NICControl(path: path).ask("drain 60")
      Terminal.endProgress()
      return try places.show(.object([.init("drained", .string(lines.joined(separator: " ")))]))
    }
    guard let nic else { throw AdministrationError.usage("say which NIC: vtcpctl drain NAME") }
    let answer = try places.service.ask(.post, ["nics", nic, "drain"])
    Terminal.endProgress()
    try places.show(answer)
  }
}
