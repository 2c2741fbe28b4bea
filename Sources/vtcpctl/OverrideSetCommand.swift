// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol

struct OverrideSetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Sets values until their time is over.",
    discussion: "For example: vtcpctl override set --nic web1-0 --ttl 10m earlyAck=off")

  @Option(help: ArgumentHelp("For this NIC only; without it, for all.", valueName: "name"))
  var nic: String?

  @Option(help: ArgumentHelp("For the NICs of this guest only.", valueName: "name"))
  var vm: String?

  @Option(help: ArgumentHelp("For how long: a number and s, m, h or d.", valueName: "span"))
  var ttl: String

  @Argument(help: "What, as policy has it: KNOB=VALUE.")
  var values: [String]

  @OptionGroup var places: Places

  func run() throws {
    guard SpanText.seconds(ttl) != nil else {
      throw AdministrationError.usage("--ttl is a number and s, m, h or d, as 10m, not '\(ttl)'")
    }
    guard nic == nil || vm == nil else { throw AdministrationError.usage("give --nic or --vm, not both") }
    var bodies: [JSONValue] = []
    for value in values {
      let parts = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
        throw AdministrationError.usage("a value is written as KNOB=VALUE, not '\(value)'")
      }
      var members: [JSONValue.Member] = [
        .init("key", .string(parts[0])), .init("value", .string(parts[1])), .init("ttl", .string(ttl)),
      ]
      if let nic { members.append(.init("nic", .string(nic))) }
      if let vm { members.append(.init("vm", .string(vm))) }
      bodies.append(.object(members))
    }
    for body in bodies {
      try places.show(try places.service.ask(.post, ["overrides"], body: Array(body.text.utf8)))
    }
  }
}
