// SPDX-License-Identifier: Apache-2.0

import Timekeeping

/// Keeps a log from being filled by a peer that does the same wrong over and over: 100 lines at once, then one a second.
///
/// One thread writes to a log.
final class LineLimit: @unchecked Sendable {
  private static let burst = 100
  private static let interval = Interval.seconds(1)

  private var room = burst
  private var lastGain: Instant?
  private var leftOut = 0

  /// How many lines were left out before this one; nil: this one is left out too.
  func admit(now: Instant) -> Int? {
    gain(now)
    guard room > 0 else {
      leftOut &+= 1
      return nil
    }
    room -= 1
    defer { leftOut = 0 }
    return leftOut
  }

  private func gain(_ now: Instant) {
    guard let last = lastGain else {
      lastGain = now
      return
    }
    let gained = (now - last).nanoseconds / Self.interval.nanoseconds
    guard gained > 0 else { return }
    lastGain = now
    room = min(Self.burst, room + Int(clamping: gained))
  }
}
