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

  @Flag(help: "Has it acknowledge data early again.")
  var off = false

  @OptionGroup var places: Places

  func run() throws {
    if off { return try endDraining() }
    Terminal.progress("waiting until all is delivered")
    defer { Terminal.endProgress() }
    if let path = places.nicControl {
      let lines = try NICControl(path: path).ask("drain 60")
      Terminal.endProgress()
      return try places.show(.object([.init("drained", .string(lines.joined(separator: " ")))]))
    }
    let answer = try places.service.ask(.post, ["nics", try name(), "drain"])
    Terminal.endProgress()
    try places.show(answer)
  }

  private func endDraining() throws {
    if let path = places.nicControl {
      _ = try NICControl(path: path).ask("drain off")
      return try places.show(.object([.init("draining", .bool(false))]))
    }
    try places.show(try places.service.ask(.delete, ["nics", try name(), "drain"]))
  }

  private func name() throws -> String {
    guard let nic else { throw AdministrationError.usage("say which NIC: vtcpctl drain NAME") }
    return nic
  }
}
