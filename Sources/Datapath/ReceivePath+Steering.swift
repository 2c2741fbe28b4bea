// SPDX-License-Identifier: Apache-2.0

import Memory
import Timekeeping
import Wire

// Whose a frame is; and uplinks of fewer queues than the guest has.

extension ReceivePath {
  /// Whether it is for somebody else than the guest, who has that address.
  @inline(__always)
  func isForeign(_ frame: ByteRegion, _ macAddress: MACAddress) -> Bool {
    let destination = MACAddress(decoding: frame, at: 0)
    return !destination.isMulticast && destination != macAddress
  }

  /// Whether a queue is there for what comes.
  var hasTaker: Bool {
    guard isSteered else { return home.isServed }
    return (0..<activePairs).contains { ends.with($0, \.isServed) }
  }

  /// The queue pair whose receiveq gets the frame.
  func steer(_ frame: ByteRegion, _ now: Instant) -> Int {
    let head = frame.slice(from: 0, count: min(frame.count, FrameLimits.inspected))
    var pair = 0
    if let layout = FrameLayout(parsing: head, frameLength: frame.count) {
      pair = steering.pair(for: flowHash(layout, head), active: activePairs, now: now)
    }
    guard !ends.with(pair, \.isServed) else { return pair }
    return (0..<activePairs).first { ends.with($0, \.isServed) } ?? pair
  }
}
