// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol

struct PortAddCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Makes a NIC, and its socket that QEMU connects to.",
    discussion: "Before a guest is started by hand, or a NIC is plugged in while it runs.")

  @Argument(help: "Its name.")
  var nic: String

  @Option(help: ArgumentHelp("The guest's name.", valueName: "name"))
  var vm: String?

  @Option(help: ArgumentHelp("The guest's UUID.", valueName: "uuid"))
  var uuid: String?

  @Option(help: ArgumentHelp("Its MAC address.", valueName: "address"))
  var mac: String?

  @Option(help: ArgumentHelp("Its alias in libvirt.", valueName: "name"))
  var alias: String?

  @Option(name: .customLong("class"), help: ArgumentHelp("Its class of the policy.", valueName: "name"))
  var className: String?

  @Option(help: ArgumentHelp("Where frames go: tap:NAME, packet:IFNAME or null.", valueName: "uplink"))
  var uplink: String?

  @Option(help: ArgumentHelp("The bridge that its TAP interface joins.", valueName: "name"))
  var bridge: String?

  @Option(help: ArgumentHelp("off, limit, snoop or early: as --vtcp of vtcp-nic.", valueName: "mode"))
  var mode: String?

  @Option(help: ArgumentHelp("Queue pairs.", valueName: "n"))
  var queues: Int?

  @Option(help: ArgumentHelp("The MTU.", valueName: "bytes"))
  var mtu: Int?

  @OptionGroup var places: Places

  func run() throws {
    let texts = [
      ("vm", vm), ("uuid", uuid), ("mac", mac), ("alias", alias), ("class", className), ("uplink", uplink),
      ("bridge", bridge),
      ("mode", mode),
    ]
    var members = texts.compactMap { name, value in value.map { JSONValue.Member(name, .string($0)) } }
    members += [("queues", queues), ("mtu", mtu)].compactMap { name, value in
      value.map { JSONValue.Member(name, .integer($0)) }
    }
    let answer = try places.service.ask(.put, ["nics", nic], body: Array(JSONValue.object(members).text.utf8))
    try places.show(answer)
  }
}
