// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol
import DomainXML

struct LibvirtRewriteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rewrite-xml",
    abstract: "Puts into a guest's XML what NICs of ours need; the rest stays as it is.",
    discussion: "For example: virsh dumpxml --inactive web1 | vtcpctl libvirt rewrite-xml --adopt all >web1.xml")

  @Argument(help: "The file; - is standard input.")
  var file = "-"

  @Option(help: ArgumentHelp("Where the sockets of NICs are.", valueName: "path"))
  var folder = "/run/vtcp"

  @Option(help: ArgumentHelp("Interfaces of other types that become ours: none or all.", valueName: "which"))
  var adopt = "none"

  @OptionGroup var places: Places

  func run() throws {
    guard let adoption = ["none": DomainRewriter.Adoption.none, "all": .all][adopt] else {
      throw AdministrationError.usage("--adopt is none or all, not '\(adopt)'")
    }
    let rewriting = try GuestXML.rewriting(try Terminal.contents(file), file, folder: folder, adoption)
    if places.json {
      return try Terminal.lines([
        JSONValue.object([
          .init("xml", .string(String(decoding: rewriting.octets, as: UTF8.self))),
          .init("changes", .array(rewriting.changes.map { .string($0) })),
        ]).text
      ])
    }
    for change in rewriting.changes { Terminal.tell("\(change)\n") }
    try Terminal.put(rewriting.octets, to: Terminal.output, "standard output")
  }
}
