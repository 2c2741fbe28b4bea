// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How many requests are under way: each keeps a thread waiting for vtcpd.
final class Congestion: Sendable {
  private let limit: Int
  private let count = Atomic<Int>(0)

  init(limit: Int) {
    self.limit = limit
  }

  /// False: there are too many. Else `leave` is to follow.
  func enter() -> Bool {
    guard count.add(1, ordering: .relaxed).newValue > limit else { return true }
    leave()
    return false
  }

  func leave() { count.subtract(1, ordering: .relaxed) }
}
