// SPDX-License-Identifier: Apache-2.0

import Impairment
import Uplinks

/// The command line.
struct RelayOptions {
  static let help = """
    vtcp-relay: a link between two interfaces that delays, loses, reorders and damages frames, the same ones each time.

    usage: vtcp-relay --a END --b END [OPTION...]

    END, one of:
      tap:NAME             a TAP interface, created if it does not exist; it can be moved to another network namespace
                           once the relay runs
      packet:IFNAME        an existing interface, by a packet socket
      fd:N                 an open TAP, or a unix socket that carries a virtio header and a frame in each datagram

    OPTIONs:
      --a-to-b LINK        what happens to frames from A to B, such as delay=10ms,loss=1%
      --b-to-a LINK        and from B to A
      --both LINK          the same in both directions, with different chances
      --seed N             chance: what happens to the n-th frame of a direction depends on N and n alone (1)
      --frames N           frames that are on the way in a direction at most, 64 to 1000000 (32768)
      --help

    LINK, a list of:

    """ + ImpairmentSettings.grammar.split(separator: "\n").map { "  \($0)\n" }.joined() + """

        PART is such as 1% or 0.01, TIME such as 10ms or 250us.

      Frames are taken as the wire would have them: offloads are completed first. SIGTERM ends it, and it tells what happened in one line of
      JSON on standard output; so it does at SIGUSR1, and goes on.

      """

  var ends: [UplinkSpecification] = []
  var links = [ImpairmentSettings(), ImpairmentSettings()]
  var seed: UInt64 = 1
  var capacity = 32_768
  var wantsHelp = false

  init(parsing words: some Sequence<String>) throws {
    var values: [String: String] = [:]
    var name: String?
    for word in words {
      if let option = name {
        guard values.updateValue(word, forKey: option) == nil else { throw RelayError("\(option) is given twice") }
        name = nil
      } else if word == "--help" {
        wantsHelp = true
      } else {
        name = word
      }
    }
    if let name { throw RelayError("\(name) needs a value, or is no option: see --help") }
    guard !wantsHelp else { return }
    try take(&values)
    if let unknown = values.keys.min() { throw RelayError("there is no option \(unknown): see --help") }
  }

  private mutating func take(_ values: inout [String: String]) throws {
    for option in ["--a", "--b"] {
      guard let text = values.removeValue(forKey: option) else { throw RelayError("\(option) is missing: see --help") }
      let end = try UplinkSpecification(parsing: text)
      guard end != .null else { throw RelayError("\(option) is an interface, not null") }
      ends.append(end)
    }
    if let text = values.removeValue(forKey: "--both") {
      guard values["--a-to-b"] == nil, values["--b-to-a"] == nil else {
        throw RelayError("--both says all: use --a-to-b and --b-to-a for different directions")
      }
      values["--a-to-b"] = text
      values["--b-to-a"] = text
    }
    for (number, option) in ["--a-to-b", "--b-to-a"].enumerated() {
      guard let text = values.removeValue(forKey: option) else { continue }
      do throws(ImpairmentError) {
        links[number] = try ImpairmentSettings(parsing: text)
      } catch {
        throw RelayError("\(option): \(error)")
      }
    }
    if let text = values.removeValue(forKey: "--seed") {
      guard let number = UInt64(text) else { throw RelayError("--seed is a number from 0 on, not \(text)") }
      seed = number
    }
    if let text = values.removeValue(forKey: "--frames") {
      guard let number = Int(text), (64...1_000_000).contains(number) else {
        throw RelayError("--frames is a number from 64 to 1000000, not \(text)")
      }
      capacity = number
    }
  }
}
