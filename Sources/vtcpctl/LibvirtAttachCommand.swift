// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol
import DomainXML

struct LibvirtAttachCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "attach", abstract: "Gives a guest that runs another NIC: makes it, and plugs it in.")

  @Argument(help: "The guest's name in libvirt.")
  var guest: String

  @Argument(help: "The NIC's name; it is made if it is not there.")
  var nic: String

  @Option(help: ArgumentHelp("Its MAC address; without it libvirt makes one up.", valueName: "address"))
  var mac: String?

  @Option(name: .shortAndLong, help: ArgumentHelp("libvirt's URI.", valueName: "uri"))
  var connect = "qemu:///system"

  @Flag(help: "Also for the next time that the guest starts.")
  var config = false

  @OptionGroup var places: Places

  func run() throws {
    let reading = try GuestXML.reading(try GuestXML.ofGuest(guest, connection: connect), guest)
    guard reading.domain.isMemoryShared else {
      throw AdministrationError.failed(
        "the memory of \(guest) is not shared, and can't be while it runs; vtcpctl libvirt check \(guest) says how to mend that"
      )
    }
    if let mac, mac.utf8.count != 17 || !mac.utf8.allSatisfy({ "0123456789abcdefABCDEF:".utf8.contains($0) }) {
      throw AdministrationError.usage("--mac is an address as 52:54:00:12:34:56, not '\(mac)'")
    }
    var members: [JSONValue.Member] = [.init("vm", .string(guest))]
    if let mac { members.append(.init("mac", .string(mac))) }
    let answer = try places.service.ask(.put, ["nics", nic], body: Array(JSONValue.object(members).text.utf8))
    guard let path = answer["socket"]?.string, !path.contains(where: { "<>&'\"".contains($0) }) else {
      throw AdministrationError.failed("vtcpd does not say where the socket of \(nic) is")
    }
    let address = mac.map { "<mac address='\($0)'/>" } ?? ""
    let xml =
      "<interface type='vhostuser'>\(address)<source type='unix' path='\(path)' mode='client'>"
      + "<reconnect enabled='yes' timeout='1'/></source><model type='virtio'/></interface>\n"
    let words = ["-c", connect, "attach-device", guest, "/dev/stdin", "--live"] + (config ? ["--config"] : [])
    _ = try Virsh.output(words, input: Array(xml.utf8))
    try places.show(answer)
  }
}
