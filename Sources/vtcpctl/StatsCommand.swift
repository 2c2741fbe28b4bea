// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol
import Polling
import Timekeeping

struct StatsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats", abstract: "The numbers of a NIC, or of all, under one name each as ethtool -S has them.")

  @Argument(help: "The NIC's name; without it, all.")
  var nic: String?

  @Option(help: ArgumentHelp("Tell what has changed, each time that so much time has passed.", valueName: "seconds"))
  var watch: Double?

  @Option(help: ArgumentHelp("With --watch: end after so many times.", valueName: "n"))
  var count: Int?

  @OptionGroup var places: Places

  func validate() throws {
    guard (0.05...86_400).contains(watch ?? 1) else { throw ValidationError("--watch is from 0.05 to 86400 seconds") }
    guard count == nil || watch != nil else { throw ValidationError("--count is for --watch") }
  }

  func run() throws {
    let sources = try places.sources(nic)
    var before = try sources.map { try $0.statistics() }
    guard let watch else {
      guard !places.json else { return try Terminal.lines([sources.json(before).text]) }
      for (source, statistics) in zip(sources, before) {
        try Terminal.lines(["\(source.name ?? "NIC") statistics:"] + StatisticsList.lines(statistics))
      }
      return
    }
    let signals = try Signals.make()
    var begin = MonotonicClock.now()
    var shown = 0
    while shown < count ?? .max, try Terminal.pause(seconds: watch, signals) {
      let now = try sources.map { try $0.statistics() }
      let milliseconds = Int((MonotonicClock.now() - begin).nanoseconds / 1_000_000)
      begin = MonotonicClock.now()
      for (source, pair) in zip(sources, zip(now, before)) {
        try show(source, pair.0, pair.1, milliseconds)
      }
      before = now
      shown += 1
    }
  }

  private func show(
    _ source: StatisticsSource, _ now: JSONValue, _ before: JSONValue, _ milliseconds: Int
  ) throws {
    guard places.json else {
      let lines = StatisticsList.changeLines(now, since: before, milliseconds: milliseconds)
      return try Terminal.lines(["\(source.name ?? "NIC") in \(milliseconds) ms:"] + lines)
    }
    let changes = StatisticsList.changes(now, since: before).map {
      JSONValue.Member($0.name, .integer($0.value))
    }
    let members: [JSONValue.Member] = [
      .init("milliseconds", .integer(milliseconds)), .init("changes", .object(changes)),
    ]
    try Terminal.lines([JSONValue.object((source.name.map { [.init("nic", .string($0))] } ?? []) + members).text])
  }
}
