// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Which rule a connection falls under, and where each value that counts for it comes from.",
    discussion: "For example: vtcpctl explain --nic db3-0 'tcp 10.1.2.3:40022 > 10.9.9.9:873'")

  @Option(help: ArgumentHelp("The NIC that it goes through.", valueName: "name"))
  var nic: String?

  @Option(help: ArgumentHelp("By this policy, and not by the one in force.", valueName: "file"))
  var file: String?

  @Option(help: ArgumentHelp("In place of a NIC: that of this guest, or one as it would have.", valueName: "name"))
  var vm: String?

  @Argument(help: "The connection, guest or opener first: ADDRESS:PORT > ADDRESS:PORT.")
  var flow: [String]

  @OptionGroup var places: Places

  func run() throws {
    var members: [JSONValue.Member] = [.init("flow", .string(flow.joined(separator: " ")))]
    if let nic { members.append(.init("nic", .string(nic))) }
    if let vm { members.append(.init("vm", .string(vm))) }
    if let file {
      members.append(.init("policy", .string(String(decoding: try Terminal.contents(file), as: UTF8.self))))
    }
    let body = Array(JSONValue.object(members).text.utf8)
    try places.showText(
      try PolicyText.ofFile(file ?? "policy.yaml") { () throws(AdministrationError) in
        try places.service.ask(.post, ["policy", "explain"], body: body)
      })
  }
}
