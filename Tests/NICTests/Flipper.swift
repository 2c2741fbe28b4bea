// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import TestSupport

/// A thread that writes two values in turn to places in the guest's memory, as fast as it can.
final class Flipper: @unchecked Sendable {
  // The guest's memory is shared with another process anyway; these are all that the threads share.
  private let ram: GuestRAM
  private let isStopped = Atomic<Bool>(false)
  private let running = Atomic<Int>(0)

  init(_ ram: GuestRAM) {
    self.ram = ram
  }

  func flip(_ places: [(address: UInt64, one: UInt64, other: UInt64)]) {
    running.add(1, ordering: .sequentiallyConsistent)
    Thread.detachNewThread { [self] in
      while !isStopped.load(ordering: .relaxed) {
        for place in places { ram.store(place.one, at: place.address) }
        for place in places { ram.store(place.other, at: place.address) }
        for place in places { ram.store(place.one, at: place.address) }
      }
      running.subtract(1, ordering: .sequentiallyConsistent)
    }
  }

  /// Nothing is written any more when this returns.
  func stop() {
    isStopped.store(true, ordering: .relaxed)
    while running.load(ordering: .sequentiallyConsistent) > 0 { sched_yield() }
  }
}
