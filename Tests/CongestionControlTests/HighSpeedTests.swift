// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import CongestionControl

@Suite("HighSpeed TCP: RFC 3649")
struct HighSpeedTests {
  /// Rows of appendix B as the RFC prints them.
  static let printed: [(window: Int, increase: Int, decrease: Double)] = [
    (38, 1, 0.50), (118, 2, 0.44), (221, 3, 0.41), (347, 4, 0.38), (495, 5, 0.37), (663, 6, 0.35), (851, 7, 0.34),
    (1058, 8, 0.33), (1284, 9, 0.32), (1529, 10, 0.31), (1793, 11, 0.30), (94_717, 73, 0.09),
  ]

  @Test("Appendix B: the rows are those that its program computes by the formulas of section 5")
  func table() {
    var rows = [(window: 38, decrease: 0.5)]
    var last = 1.0
    for window in 39..<100_000 {
      let size = Double(window)
      let decrease = (0.1 - 0.5) * (log(size) - log(38)) / (log(83_000) - log(38)) + 0.5
      let increase = size * size * 2 * decrease / ((2 - decrease) * pow(size, 1.2) * 12.8)
      guard increase > last + 1 else { continue }
      rows.append((window, decrease))
      last = increase
    }
    #expect(rows.count == HighSpeed.windows.count && rows.count == HighSpeed.decreases.count)
    for (place, row) in rows.enumerated() {
      #expect(HighSpeed.windows[place] == UInt32(row.window))
      #expect(abs(Double(HighSpeed.decreases[place]) / 1024 - row.decrease) < 0.001)
    }
  }

  @Test(
    "A window of a row grows by the row's number in a round trip, and loses the row's part", arguments: printed.indices)
  func rows(place: Int) {
    let row = Self.printed[place]
    var knobs = Sender.knobs(.highSpeed, window: 10, threshold: 2_000)
    knobs.initialWindow = UInt16(clamping: row.window)
    guard Int(knobs.initialWindow) == row.window else { return largest(row) }
    var sender = Sender(knobs)
    let before = sender.segments
    var lost = sender
    lost.lose()
    #expect(abs(lost.segments / before - (1 - row.decrease)) < 0.006)
    // Not into the next row.
    for _ in 0..<2 { sender.runRoundTrip() }
    let grown = sender.segments - before
    #expect(grown >= Double(2 * row.increase) - 1 && grown <= Double(2 * row.increase) + 2)
  }

  private func largest(_ row: (window: Int, increase: Int, decrease: Double)) {
    let kept = HighSpeed.keepFactor(window: row.window * 1000, segmentSize: 1000)
    #expect(abs(Double(kept) / 1024 - (1 - row.decrease)) < 0.006)
    #expect(
      HighSpeed.keepFactor(window: 1 << 30, segmentSize: 1) == HighSpeed.keepFactor(window: 94_717, segmentSize: 1))
  }

  @Test("Up to 38 segments it is Reno")
  func small() {
    var (reno, fast) = (
      Sender(Sender.knobs(.newReno, threshold: 2_000)), Sender(Sender.knobs(.highSpeed, threshold: 2_000))
    )
    for _ in 0..<25 {
      reno.runRoundTrip()
      fast.runRoundTrip()
      #expect(reno.control.window == fast.control.window)
    }
    reno.lose()
    fast.lose()
    #expect(reno.control.window == fast.control.window)
  }
}
