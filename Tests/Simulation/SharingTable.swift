// SPDX-License-Identifier: Apache-2.0

import CongestionControl

/// How two connections share a path, by algorithms and path: the same figures on every machine, so that a change of behaviour shows as a change
/// of `docs/sharing.txt`.
public enum SharingTable {
  private static let paths = [
    SharedPath(roundTrip: 10, rate: 10), SharedPath(roundTrip: 40, rate: 10),
    SharedPath(roundTrip: 40, rate: 10, queue: 4),
  ]
  private static let marking = SharedPath(roundTrip: 10, rate: 20, marksAbove: 10_000)

  public static func text() throws -> String {
    var lines = [
      "Two simulated connections through one queue, in virtual time (Tests/Simulation/SharingTable.swift): what each gets, megabits a second of payload, and",
      "the share of the first, in the last 45 of 60 seconds; its round trip, with the queue; segments sent again in all.",
      "`vtcp-simulate --sharing` prints it; Scripts/test compares.", "", header,
    ]
    for path in paths {
      for algorithm in CongestionAlgorithm.allCases where algorithm != .none && algorithm != .dctcp {
        try lines.append(row(algorithm, algorithm, path))
        if algorithm != .cubic { try lines.append(row(algorithm, .cubic, path)) }
      }
    }
    for other in [CongestionAlgorithm.dctcp, .newReno, .cubic, .bbr3] { try lines.append(row(.dctcp, other, marking)) }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func row(
    _ one: CongestionAlgorithm, _ other: CongestionAlgorithm, _ path: SharedPath
  ) throws -> String {
    let measured = try SharingMeasurement([one, other], over: path)
    var cells = [left("\(path)", 34), left("\(one)", 10), left("\(other)", 10)]
    cells += measured.throughput.map { right("\(tenths($0))", 6) }
    cells += [right("\(Int((measured.share * 100).rounded())) %", 6)]
    cells += [right("\(tenths(measured.roundTrip[0]))", 7)]
    cells += measured.again.map { right("\($0)", 7) }
    return cells.joined(separator: " ")
  }

  private static let header =
    [
      left("path", 34), left("first", 10), left("second", 10), right("Mb/s", 6), right("Mb/s", 6), right("share", 6),
      right("ms", 7), right("again", 7), right("again", 7),
    ]
    .joined(separator: " ")

  private static func tenths(_ number: Double) -> Double { (number * 10).rounded() / 10 }

  private static func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
