// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import Capture
import ControlProtocol
import Polling
import Timekeeping

struct CaptureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "capture",
    abstract: "The frames of both legs as pcapng, each with what was done with it.",
    discussion: "For example: vtcpctl capture web1-0 | wireshark -k -i -")

  @Argument(help: "The NIC's name.")
  var nic: String?

  @Option(name: .shortAndLong, help: ArgumentHelp("Where to; - is standard output.", valueName: "file"))
  var write = "-"

  @Option(help: "One leg only: guest, network or both.")
  var leg = "both"

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("How much of a frame: headers, or its first bytes.", valueName: "headers|bytes"))
  var snap = "headers"

  @Option(name: .shortAndLong, help: ArgumentHelp("End after so many packets.", valueName: "n"))
  var count: Int?

  @Option(help: ArgumentHelp("End after so long.", valueName: "seconds"))
  var duration: Double?

  @Option(help: ArgumentHelp("tcp, udp, icmp, arp, ip or ip6.", valueName: "name"))
  var `protocol`: String?

  @Option(help: ArgumentHelp("From or to this address; may be given several times.", valueName: "address"))
  var host: [String] = []

  @Option(help: ArgumentHelp("From or to this port; may be given several times.", valueName: "port"))
  var port: [String] = []

  @Option(help: ArgumentHelp("One connection, as for flows.", valueName: "flow"))
  var flow: String?

  @OptionGroup var places: Places

  func validate() throws {
    guard (0.05...86_400).contains(duration ?? 1) else {
      throw ValidationError("--duration is from 0.05 to 86400 seconds")
    }
  }

  func run() throws {
    if write == "-", Terminal.isTerminal(Terminal.output) {
      throw AdministrationError.usage("pcapng is nothing to look at; give -w FILE, or have another program read it")
    }
    var words = ["leg=\(leg)", "snap=\(snap)"]
    if let count { words.append("count=\(count)") }
    if let flow {
      guard `protocol` == nil || `protocol` == "tcp" else {
        throw AdministrationError.usage("--flow is about a connection of TCP")
      }
      words += try FlowSelector(parsing: [flow]).captureWords
    } else if let `protocol` {
      words.append("protocol=\(`protocol`)")
    }
    words += host.map { "host=\($0)" } + port.map { "port=\($0)" }
    guard words.allSatisfy({ !$0.contains { $0 == " " || $0.isNewline } }) else {
      throw AdministrationError.usage("an option has a value with a space in it")
    }
    try run(words)
  }

  private func run(_ words: [String]) throws {
    let signals = try Signals.make()
    let connection = try places.control(nic).capture(words)
    let file = write == "-" ? nil : try Terminal.file(write)
    let target = file?.rawValue ?? Terminal.output
    var octets = 0
    var packets = 0
    var reader: PcapngReader? = PcapngReader()
    let deadline = duration.map { MonotonicClock.now() + .nanoseconds(Int64($0 * 1e9)) }
    try connection.run(signals: signals, until: deadline) { piece throws(AdministrationError) in
      try Terminal.put(piece, to: target, write)
      octets += piece.count
      packets += Self.count(piece, &reader)
      Terminal.progress("\(packets) packets, \(octets) bytes")
      return true
    }
    Terminal.endProgress()
    let missed = reader?.missed ?? 0
    if places.json {
      let summary: JSONValue = .object([
        .init("packets", .integer(packets)), .init("bytes", .integer(octets)),
        .init("missed", .integer(Int(clamping: missed))),
      ])
      // Beside the capture, or where that is not.
      if file == nil { Terminal.tell(summary.text + "\n") } else { try Terminal.lines([summary.text]) }
    } else {
      Terminal.tell("\(packets) packets, \(missed) missed\n")
    }
  }

  /// Packets that a piece completes. What is no pcapng is written all the same, and counted no more.
  private static func count(_ piece: [UInt8], _ reader: inout PcapngReader?) -> Int {
    reader?.take(piece)
    var count = 0
    do throws(PcapngError) {
      while try reader?.next() != nil { count += 1 }
    } catch {
      Terminal.tell("vtcpctl: \(error)\n")
      reader = nil
    }
    return count
  }
}
