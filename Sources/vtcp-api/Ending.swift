// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Whether something is to end, said by one thread and seen by another.
final class Ending: Sendable {
  private let flag = Atomic<Bool>(false)

  func begin() { flag.store(true, ordering: .relaxed) }

  var hasBegun: Bool { flag.load(ordering: .relaxed) }
}
