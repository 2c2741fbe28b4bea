// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol
import DomainXML

struct LibvirtCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Looks whether a guest's XML has what its NICs of ours need.",
    discussion: "Exit status 1 if something would keep the guest from starting, or its NICs from working.")

  @Argument(help: "The guest's name in libvirt; or a file with its XML, with a slash in its name.")
  var guest: String

  @Option(help: ArgumentHelp("Where the sockets of NICs are.", valueName: "path"))
  var folder = "/run/vtcp"

  @Option(name: .shortAndLong, help: ArgumentHelp("libvirt's URI.", valueName: "uri"))
  var connect = "qemu:///system"

  @OptionGroup var places: Places

  func run() throws {
    let isFile = guest.contains("/") || guest == "-"
    let text = isFile ? try Terminal.contents(guest) : try GuestXML.ofGuest(guest, connection: connect)
    let reading = try GuestXML.reading(text, guest)
    var findings = reading.mistakes.map { DoctorFinding("xml", .bad, "\($0)", mend: "virsh edit \(guest)") }
    let ours = reading.domain.interfaces(in: folder)
    if ours.isEmpty {
      findings.append(
        DoctorFinding(
          "interfaces", .bad, "no <interface type='vhostuser'> has its socket in \(folder)",
          mend: "vtcpctl libvirt rewrite-xml --adopt all makes its interfaces ours"))
    } else if !reading.domain.isMemoryShared {
      findings.append(
        DoctorFinding(
          "memory", .bad, "the guest's memory is not shared",
          mend: "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>"))
    } else {
      findings.append(DoctorFinding("memory", .good, "the guest's memory is shared"))
    }
    for interface in ours { findings += Self.findings(interface, folder) }
    try Terminal.lines(
      places.json ? [JSONValue.array(findings.map(\.json)).text] : DoctorFinding.lines(findings))
    guard findings.allSatisfy({ $0.verdict != .bad }) else { throw AdministrationError.failed("") }
  }

  private static func findings(_ interface: DomainInterface, _ folder: String) -> [DoctorFinding] {
    let name = interface.name(in: folder) ?? interface.path
    var findings: [DoctorFinding] = []
    if interface.mode.rawValue == "client", !interface.reconnects {
      findings.append(
        DoctorFinding(
          name, .note, "QEMU does not connect again when vtcpd was restarted by force",
          mend: "<reconnect enabled='yes' timeout='1'/> in its <source>"))
    }
    if let mtu = interface.mtuElement {
      findings.append(
        DoctorFinding(
          name, .bad, "<mtu size='\(mtu)'/>: libvirt does not start a guest with it",
          mend: "vtcpctl libvirt rewrite-xml puts host_mtu into <qemu:override> in its place"))
    }
    if interface.mode.rawValue == "client", Host.access(interface.path) == .missing {
      findings.append(
        DoctorFinding(
          name, .note, "nobody listens on \(interface.path) yet: the hook makes it when the guest starts",
          mend: "without the hook: vtcpctl port add \(name)"))
    }
    return findings.isEmpty ? [DoctorFinding(name, .good, interface.path)] : findings
  }
}
