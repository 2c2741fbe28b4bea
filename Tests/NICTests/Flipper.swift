// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import TestSupport

/// A thread that writes two values in turn to places in the guest's memory, as fast as it can.
final class Flipper: @unchecked Sendable {
  // The guest's memory is shared with another process anyway; `isStopped` is all that the threads share.
  private let ram: GuestRAM
  private let isStopped = Atomic<Bool>(false)

  init(_ ram: GuestRAM) {
    self.ram = ram
  }

  func flip(_ places: [(address: UInt64, one: UInt64, other: UInt64)]) {
    Thread.detachNewThread { [self] in
      while !isStopped.load(ordering: .relaxed) {
        for place in places { ram.store(place.one, at: place.address) }
        for place in places { ram.store(place.other, at: place.address) }
        for place in places { ram.store(place.one, at: place.address) }
      }
    }
  }

  func stop() {
    isStopped.store(true, ordering: .relaxed)
  }
}
