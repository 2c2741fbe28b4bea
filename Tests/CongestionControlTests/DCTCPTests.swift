// SPDX-License-Identifier: Apache-2.0

import Testing
import Timekeeping

@testable import CongestionControl

@Suite("DCTCP: RFC 8257")
struct DCTCPTests {
  /// A window of acknowledgments of one segment each, of which the first so many report a mark; one reduction, as `LossRecovery` has it, or
  /// none.
  private func window(_ sender: inout Sender, marked: Int, of count: Int, reduces: Bool = false) {
    for place in 0..<count {
      let isMarked = place < marked
      // The first of a window ends the one before.
      sender.control.acknowledged(
        bytes: Sender.segment, roundTrip: sender.roundTrip, beginsRound: place == 0, isWindowLimited: false,
        isMarked: isMarked, now: sender.now)
      if isMarked, reduces { sender.control.congestionExperienced(now: sender.now) }
    }
    sender.control.recoveryEnded()
  }

  private func sender(window: UInt16 = 1000) -> Sender {
    Sender(Sender.knobs(.dctcp, window: window, threshold: 2_000))
  }

  private func alpha(_ sender: Sender) throws -> Float {
    guard case .dctcp(let dctcp) = sender.control.state else { throw CancellationError() }
    return dctcp.alpha
  }

  @Test("Section 3.3: DCTCP.Alpha begins with 1 and follows the part that is marked by a sixteenth a window")
  func smoothed() throws {
    var sender = sender()
    // Of a first acknowledgment alone, without a mark; then a window at a time.
    window(&sender, marked: 0, of: 20)
    #expect(try alpha(sender) == 15.0 / 16)
    // The nineteen others of the first window, and the first of this one, which is marked.
    window(&sender, marked: 5, of: 20)
    #expect(abs(Double(try alpha(sender)) - (15.0 / 16 * 15 / 16 + 1.0 / 16 / 20)) < 1e-6)
    for _ in 0..<200 { window(&sender, marked: 5, of: 20) }
    #expect(abs(try alpha(sender) - 0.25) < 0.001)
    for _ in 0..<10 { window(&sender, marked: 0, of: 20) }
    // One more: the first of these ends the last window with marks.
    #expect(abs(Double(try alpha(sender)) - 0.25 * 0.5596) < 0.002)
  }

  @Test("Section 3.3: a mark takes half of DCTCP.Alpha of the window, once for a window")
  func reduction() throws {
    var sender = sender()
    for _ in 0..<200 { window(&sender, marked: 5, of: 20) }
    let before = Double(sender.control.window)
    window(&sender, marked: 5, of: 20, reduces: true)
    #expect(abs(Double(sender.control.window) / before - (1 - 0.25 / 2)) < 0.002)
    // Nothing is known at first: half.
    var new = self.sender()
    window(&new, marked: 1, of: 20, reduces: true)
    #expect(abs(new.segments - 500 * (1 + 1.0 / 32)) < 20)
  }

  @Test("Section 3.5: a loss takes a half, whatever is marked, or what policy says")
  func loss() {
    var sender = sender()
    for _ in 0..<200 { window(&sender, marked: 1, of: 20) }
    let before = sender.segments
    sender.lose()
    #expect(abs(sender.segments - before / 2) < 1)
    var knobs = Sender.knobs(.dctcp, window: 1000, threshold: 2_000)
    knobs.keepFactor = 768
    var told = Sender(knobs)
    told.lose()
    #expect(told.segments == 750)
  }

  @Test("Section 3.4: without marks it grows as Reno does")
  func growth() {
    var (reno, other) = (
      Sender(Sender.knobs(.newReno, threshold: 2_000)), Sender(Sender.knobs(.dctcp, threshold: 2_000))
    )
    for _ in 0..<50 {
      reno.runRoundTrip()
      other.runRoundTrip()
      #expect(reno.control.window == other.control.window)
    }
  }

  @Test("What is marked while the window is reduced, or lost, is counted")
  func whileReduced() throws {
    var sender = sender()
    sender.control.congestionExperienced(now: sender.now)
    #expect(sender.control.phase == .reduced)
    for _ in 0..<10 {
      sender.control.acknowledged(
        bytes: 1000, roundTrip: sender.roundTrip, beginsRound: true, isWindowLimited: true, now: sender.now)
    }
    #expect(abs(Double(try alpha(sender)) - 0.5245) < 0.001)
  }

  @Test("Numbers that can't be bring none about", arguments: [Int.max, Int.min, 0, -1, 1 << 40])
  func hostile(bytes: Int) throws {
    var sender = sender()
    for place in 0..<100 {
      sender.control.acknowledged(
        bytes: bytes, roundTrip: .zero, beginsRound: place % 7 == 0, isWindowLimited: true, isMarked: place % 2 == 0,
        now: sender.now)
      sender.control.congestionExperienced(now: sender.now)
      #expect(sender.control.window >= 1000)
    }
    let alpha = try alpha(sender)
    #expect(alpha >= 0 && alpha <= 1)
  }
}
