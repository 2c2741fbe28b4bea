// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol

struct FlowsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flows",
    abstract: "The connections: a line for each, and one for each of its legs in the words of ss -i.")

  @Option(name: .shortAndLong, help: ArgumentHelp("Of this NIC only.", valueName: "name"))
  var nic: String?

  @Argument(help: "Which connections: ADDRESS:PORT > ADDRESS:PORT, or one end of it: ADDRESS, ADDRESS:PORT, :PORT.")
  var flow: [String] = []

  @OptionGroup var places: Places

  func run() throws {
    let selector = flow.isEmpty ? nil : try FlowSelector(parsing: flow)
    var values: [JSONValue] = []
    var lines: [String] = []
    for source in try places.sources(nic) {
      let statistics = try source.statistics()
      lines += FlowList.lines(statistics, selector, nic: source.name)
      for flow in FlowList.flows(statistics, selector) {
        guard case .object(let members) = flow else { continue }
        values.append(.object((source.name.map { [.init("nic", .string($0))] } ?? []) + members))
      }
    }
    try Terminal.lines(places.json ? [JSONValue.array(values).text] : lines)
  }
}
