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
    "What acknowledgments and losses have made of a Linux sender's window they make of ours, to a segment or 5 % everywhere",
    arguments: algorithms)
  func agrees(algorithm: CongestionAlgorithm) throws {
    let agreement = Agreement(try Self.recorded(algorithm))
    #expect(agreement.algorithm == algorithm)
    // Otherwise there would be nothing to see.
    #expect(agreement.losses >= 1 && agreement.compared >= 400 && agreement.largestWindow >= 30)
    #expect(agreement.isWithinBound, "\(agreement)")
  }

  @Test(
    "Who gives up a tenth more or less at a loss is told from Linux's",
    arguments: [
      (.newReno, 512), (.cubic, 717), (.bic, 819), (.highSpeed, 600), (.scalable, 896), (.westwood, 512), (.vegas, 512),
      (.illinois, 896),
    ] as [(CongestionAlgorithm, Int)], [9, 11])
  func findsLosses(of named: (algorithm: CongestionAlgorithm, keeps: Int), tenths: Int) throws {
    let agreement = Agreement(try Self.recorded(named.algorithm)) { knobs in
      knobs.keepFactor = UInt16(named.keeps * tenths / 10)
    }
    #expect(!agreement.isWithinBound, "\(agreement)")
  }

  @Test("And who grows twice as fast", arguments: algorithms.filter { $0 != .vegas })
  func findsGrowth(algorithm: CongestionAlgorithm) throws {
    let agreement = Agreement(try Self.recorded(algorithm)) { $0.additiveIncrease = 2048 }
    #expect(!agreement.isWithinBound, "\(agreement)")
  }

  @Test("And who takes Reno for it", arguments: algorithms.filter { $0 != .newReno && $0 != .hTCP })
  func findsOthers(algorithm: CongestionAlgorithm) throws {
    let agreement = Agreement(try Self.recorded(algorithm)) { $0.algorithm = .newReno }
    #expect(!agreement.isWithinBound, "\(agreement)")
  }

  @Test("A reduction that follows another at once is compared by where the kernel began it")
  func comparesBetween() throws {
    let text = """
      algorithm reno
      segment 1000
      window 10
      100 1000 20000 10000 11
      loss 100 11000 11
      0 1000 - 11000 5
      ended 1000
      loss 0 11000 7
      0 1000 - 11000 5
      ended 1000
      100 1000 20000 3000 4
      """
    // 11 become 5.5, where the kernel had 7; of those remain 3.5.
    #expect(Replay(try RecordedSchedule(text)).windows.map(\.segments) == [0, 1.5, 0.5])
  }

  @Test("What Linux rounds is no difference, and no more than that", arguments: [(332, 0.0), (334, 0.0), (335, 1.0)])
  func rounds(theirs: Int, apart: Double) throws {
    // HighSpeed takes 360 / 1024 of 512 segments: 332 are left; Linux may keep two more, 1/256 of 512.
    let text = """
      algorithm highspeed
      segment 1000
      window 512
      threshold 100
      loss 0 512000 512
      0 1000 20000 512000 400
      ended 1000
      1 1 20000 1000 \(theirs)
      """
    let windows = Replay(try RecordedSchedule(text)).windows
    #expect(windows.map(\.rounding) == [0, 2])
    #expect(windows.map(\.segments) == [0, apart])
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
      "100 1 2 3 4 x", "100 1 2 3 4 marked 5 6", "loss 1 2 x", "loss 1 2 3 4", "loss 1 2 0", "mark 1 2 3", "mark 1 -2",
    ])
  func refuses(line: String) {
    let head = "algorithm reno\nsegment 1000\nwindow 10\n"
    #expect(throws: Broken.self) { try RecordedSchedule(head + line) }
    #expect(throws: Broken.self) { try RecordedSchedule("algorithm reno\nsegment 1000\n") }
  }
}
