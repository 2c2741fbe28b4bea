// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol
import Timekeeping

struct ObserveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "observe",
    abstract: "What happens, line by line: connections that begin, end and change; of vtcpd what it does as well.")

  @Flag(name: .shortAndLong, help: "Go on until interrupted. Without it, what is there now is told.")
  var follow = false

  @Option(help: ArgumentHelp("Of this NIC only.", valueName: "name"))
  var nic: String?

  @Option(help: ArgumentHelp("End after so many events.", valueName: "n"))
  var count: Int?

  @OptionGroup var places: Places

  func run() throws {
    guard follow else { return try showNow() }
    guard places.statsFile != nil else { return try followService() }
    let signals = try Signals.make()
    let source = try places.sources(nic)[0]
    var events = FlowEvents(try source.statistics())
    var shown = 0
    while shown < count ?? .max, try Terminal.pause(seconds: 0.1, signals) {
      for event in events.look(try source.statistics()).prefix((count ?? .max) - shown) {
        try Terminal.lines([places.json ? event.json.text : event.text])
        shown += 1
      }
    }
  }

  private func showNow() throws {
    for source in try places.sources(nic) {
      var events = FlowEvents(.null)
      for event in events.look(try source.statistics()) {
        try Terminal.lines([places.json ? event.json.text : (source.name.map { "\($0) " } ?? "") + event.text])
      }
    }
  }

  private func followService() throws {
    let service = places.service
    let stream = try service.events(nic.map { [("nic", $0)] } ?? [])
    var shown = 0
    while shown < count ?? .max, let line = try service.next(of: stream) {
      shown += 1
      guard !places.json, let value = try? JSONValue(parsing: line.utf8) else {
        try Terminal.lines([line])
        continue
      }
      try Terminal.lines([TextTable.line(value)])
    }
  }
}
