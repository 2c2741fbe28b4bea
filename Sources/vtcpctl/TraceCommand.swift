// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import Capture
import ControlProtocol
import Polling
import Timekeeping

struct TraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "What is done with each of the next packets of a connection.",
    discussion: "For example: vtcpctl trace --nic web1-0 '10.0.2.15:43210 > 93.184.216.34:443'")

  @Option(help: ArgumentHelp("The NIC that it goes through.", valueName: "name"))
  var nic: String?

  @Option(
    name: [.customShort("n"), .long],
    help: ArgumentHelp("End after so many packets, both legs counted.", valueName: "n"))
  var count = 50

  @Option(help: ArgumentHelp("End after so long.", valueName: "seconds"))
  var duration: Double?

  @Argument(help: "Which connection: ADDRESS:PORT > ADDRESS:PORT, or one end of it: ADDRESS, ADDRESS:PORT, :PORT.")
  var flow: [String]

  @OptionGroup var places: Places

  func validate() throws {
    guard (0.05...86_400).contains(duration ?? 1) else {
      throw ValidationError("--duration is from 0.05 to 86400 seconds")
    }
  }

  func run() throws {
    let selector = try FlowSelector(parsing: flow)
    let signals = try Signals.make()
    let connection = try places.control(nic).capture(["snap=headers", "count=\(count)"] + selector.captureWords)
    var reader = PcapngReader()
    var printer = PacketLine()
    defer { printer.deallocate() }
    let deadline = duration.map { MonotonicClock.now() + .nanoseconds(Int64($0 * 1e9)) }
    try connection.run(signals: signals, until: deadline) { piece throws(AdministrationError) in
      reader.take(piece)
      var lines: [String] = []
      while let packet = try Self.next(&reader) {
        lines.append(places.json ? printer.json(packet).text : printer.text(packet))
      }
      try Terminal.lines(lines)
      return true
    }
  }

  private static func next(_ reader: inout PcapngReader) throws(AdministrationError) -> CapturedPacket? {
    do throws(PcapngError) { return try reader.next() } catch { throw .failed("what the NIC sends: \(error)") }
  }
}
