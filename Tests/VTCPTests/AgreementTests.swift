// SPDX-License-Identifier: Apache-2.0
import CongestionControl
import Foundation
import Simulation
import Testing

/// Our windows against those of Linux, on connections that a Linux guest has had (Tests/Recorded; docs/algorithms.md). `test_oracle.py` records anew.
@Suite struct AgreementTests {
  /// Those for which there is a bound.
  static let algorithms: [CongestionAlgorithm] = [
    .newReno, .cubic, .bic, .highSpeed, .scalable, .westwood, .vegas, .illinois, .hTCP, .dctcp,
  ]

  static func recorded(_ algorithm: CongestionAlgorithm) throws -> RecordedSchedule {
    let name = algorithm == .newReno ? "reno" : "\(algorithm)".lowercased()
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Recorded")
    return try RecordedSchedule(String(contentsOf: folder.appendingPathComponent("\(name).txt"), encoding: .utf8))
  }

  @Test(
    "What acknowledgments and losses have made of a Linux sender's window they make of ours, to a segment or 5 % in the median",
    arguments: algorithms)
  func agrees(algorithm: CongestionAlgorithm) throws {
    let agreement = Agreement(try Self.recorded(algorithm))
    #expect(agreement.algorithm == algorithm)
    // Otherwise there would be nothing to see.
    #expect(agreement.losses >= 1 && agreement.compared >= 150 && agreement.largestWindow >= 30)
    #expect(agreement.isWithinBound, "\(agreement)")
  }

  @Test("A window that is another one is told by how much")
  func differs() throws {
    let text = """
      algorithm reno
      segment 1000
      window 10
      # Slow start, a loss that halves 10, and a window of 5 segments for the next one: theirs is 9.
      100 1000 20000 10000 11
      loss 100 11000
      0 1000 - 11000 5
      ended 1000
      100 10000 20000 10000 9
      """
    let schedule = try RecordedSchedule(text)
    let windows = Replay(schedule).windows
    #expect(windows.map(\.theirs) == [11, 9])
    #expect(windows.map(\.segments) == [0, 3.5])
    let agreement = Agreement(schedule)
    #expect(!agreement.isWithinBound)
    #expect((agreement.losses, agreement.mostSegments, agreement.largestWindow) == (1, 3.5, 9))
  }

  @Test(
    "A line that means nothing is refused",
    arguments: [
      "100", "100 1 2 3", "100 x 2 3 4", "loss 1", "window", "algorithm quick", "100 -1 2 3 4", "ended a", "mark",
      "100 1 2 3 4 x", "100 1 2 3 4 marked 5 6",
    ])
  func refuses(line: String) {
    let head = "algorithm reno\nsegment 1000\nwindow 10\n"
    #expect(throws: Broken.self) { try RecordedSchedule(head + line) }
    #expect(throws: Broken.self) { try RecordedSchedule("algorithm reno\nsegment 1000\n") }
  }
}
