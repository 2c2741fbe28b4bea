// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol

/// Whom to ask, and how to answer: options that all commands have.
struct Places: ParsableArguments {
  @Option(help: ArgumentHelp("Where vtcpd listens.", valueName: "path"))
  var socket = ControlClient.defaultPath

  @Option(help: ArgumentHelp("Ask one vtcp-nic, by its --control-socket, and not vtcpd.", valueName: "path"))
  var nicControl: String?

  @Option(help: ArgumentHelp("Read one vtcp-nic's --stats-file, and do not ask vtcpd.", valueName: "path"))
  var statsFile: String?

  @Flag(help: "Answer with JSON: one value, or one on each line of what goes on.")
  var json = false

  var service: HostService { HostService(path: socket) }

  /// Names of the NICs that vtcpd has.
  func nicNames() throws(AdministrationError) -> [String] {
    try nics().compactMap { $0["name"]?.string }
  }

  func nics() throws(AdministrationError) -> [JSONValue] {
    let answer = try service.ask(.get, ["nics"])
    return answer.array ?? answer["nics"]?.array ?? []
  }

  /// Where statistics come from: of the NIC of that name, or of all.
  func sources(_ nic: String?) throws(AdministrationError) -> [StatisticsSource] {
    if let statsFile {
      return [StatisticsSource(name: nil, file: try StatisticsFileReading(path: statsFile))]
    }
    if nicControl != nil {
      throw .usage("a NIC's statistics are in its --stats-file; say where that is by --stats-file")
    }
    if let nic { return [StatisticsSource(name: nic, service: service)] }
    // What accelerates nothing has none.
    let names = try nics().filter { $0["mode"]?.string != "off" }.compactMap { $0["name"]?.string }
    return names.map { StatisticsSource(name: $0, service: service) }
  }

  /// The control socket of a NIC.
  func control(_ nic: String?) throws(AdministrationError) -> NICControl {
    if let nicControl { return NICControl(path: nicControl) }
    guard let nic else {
      throw .usage("say which NIC: by its name, or, of a vtcp-nic without vtcpd, by --nic-control")
    }
    let told = try service.ask(.get, ["nics", nic])
    if let path = told["control"]?.string ?? told["control_socket"]?.string { return NICControl(path: path) }
    let folder = socket.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    return NICControl(path: "\(folder)/nics/\(nic).control")
  }

  /// An answer of vtcpd's as it is asked for.
  func show(_ value: JSONValue, _ text: (JSONValue) -> [String]) throws(AdministrationError) {
    try Terminal.lines(json ? [value.text] : text(value))
  }

  /// The text that an answer has for people, or all of it as JSON.
  func showText(_ value: JSONValue) throws(AdministrationError) {
    guard !json, let text = value["text"]?.string else { return try show(value) }
    try Terminal.lines(text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init).dropLastIfEmpty())
  }

  /// The same in lines of a name and a value.
  func show(_ value: JSONValue) throws(AdministrationError) {
    try show(value) { value in
      if let values = value.array { return TextTable.lines(objects: values) }
      return TextTable.lines(object: value)
    }
  }
}

extension [String] {
  /// Without the empty line behind the last newline.
  fileprivate func dropLastIfEmpty() -> [String] { last?.isEmpty == true ? dropLast() : self }
}
