// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol

struct PolicyShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "The policy that is in force.")

  @OptionGroup var places: Places

  func run() throws {
    let answer = try places.service.ask(.get, ["policy"])
    try places.show(answer) { answer in
      let revision = answer["revision"]?.integer ?? 0
      let head = "# revision \(revision) from \(answer["from"]?.string ?? "-")"
      let files = (answer["files"]?.array ?? []).flatMap { file in
        ["# \(file["name"]?.string ?? "-")"]
          + (file["text"]?.string ?? "").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      }
      let failure = answer["failure"]?["error"]?.string.map { ["# the files can't be taken: \($0)"] } ?? []
      return [head] + failure + files
    }
  }
}
