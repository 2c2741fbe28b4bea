// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "How vtcpd is; with --nic-control, how one vtcp-nic is.")

  @OptionGroup var places: Places

  func run() throws {
    guard let path = places.nicControl else {
      return try places.show(try places.service.ask(.get, ["status"]))
    }
    let lines = try NICControl(path: path).ask("status")
    let members = lines.map { line -> JSONValue.Member in
      let words = line.split(separator: " ", maxSplits: 1)
      let value = words.count == 2 ? String(words[1]) : ""
      return .init(String(words.first ?? ""), Int(value).map { .integer($0) } ?? .string(value))
    }
    try places.show(.object(members))
  }
}
