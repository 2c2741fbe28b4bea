// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol
import Polling
import Timekeeping

struct TopCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "top", abstract: "The connections that move most, again and again until it is interrupted.")

  @Option(name: .shortAndLong, help: ArgumentHelp("Of this NIC only.", valueName: "name"))
  var nic: String?

  @Option(help: ArgumentHelp("Between two looks.", valueName: "seconds"))
  var interval = 1.0

  @Option(help: ArgumentHelp("End after so many screens.", valueName: "n"))
  var count: Int?

  @OptionGroup var places: Places

  func validate() throws {
    guard interval >= 0.05, interval <= 3600 else { throw ValidationError("--interval is from 0.05 to 3600 seconds") }
  }

  func run() throws {
    let sources = try places.sources(nic)
    let signals = try Signals.make()
    var before = try sources.map { try $0.statistics() }
    var begin = MonotonicClock.now()
    var shown = 0
    let isScreen = Terminal.isTerminal(Terminal.output) && !places.json
    while shown < count ?? .max, try Terminal.pause(seconds: interval, signals) {
      let now = try sources.map { try $0.statistics() }
      let milliseconds = Int((MonotonicClock.now() - begin).nanoseconds / 1_000_000)
      begin = MonotonicClock.now()
      let nics = zip(sources, zip(now, before)).map { (name: $0.name ?? "-", now: $1.0, before: $1.1) }
      let rows = isScreen ? max(1, Terminal.rows - 4) : 50
      let lines = TopScreen.lines(nics, milliseconds: milliseconds, rows: rows)
      if places.json {
        try Terminal.lines([sources.json(now).text])
      } else {
        try Terminal.lines([(isScreen ? "\u{1b}[H\u{1b}[2J" : "") + lines[0]] + lines.dropFirst())
      }
      before = now
      shown += 1
    }
  }
}
