// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol

struct NICsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nics", abstract: "The virtual NICs that vtcpd has; or all about one of them.")

  @Argument(help: "The NIC's name.")
  var nic: String?

  @OptionGroup var places: Places

  func run() throws {
    if let nic { return try places.show(try places.service.ask(.get, ["nics", nic])) }
    let nics = try places.nics()
    try places.show(.array(nics)) { TextTable.lines(objects: $0.array ?? []) }
  }
}
