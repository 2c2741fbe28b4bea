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
    loop { ram in
      for place in places { ram.store(place.one, at: place.address) }
      for place in places { ram.store(place.other, at: place.address) }
      for place in places { ram.store(place.one, at: place.address) }
    }
  }

  /// Writes random bits over these ranges, eight octets at a time. Each place is hit as often as any other.
  func scramble(_ ranges: [Range<UInt64>], seed: UInt64) {
    let words = ranges.flatMap { stride(from: $0.lowerBound, to: $0.upperBound & ~7, by: 8) }
    let state = Atomic<UInt64>(seed | 1)
    loop { ram in
      for _ in 0..<64 {
        var value = state.load(ordering: .relaxed)
        value ^= value << 13
        value ^= value >> 7
        value ^= value << 17
        state.store(value, ordering: .relaxed)
        let place = words[Int(value >> 33) % words.count]
        // One bit, so that most of what is there stays plausible, or everything.
        let old = ram.load(UInt64.self, at: place)
        ram.store(value & 3 == 0 ? value &* 0x9e37_79b9_7f4a_7c15 : old ^ (1 << (value >> 8 & 63)), at: place)
      }
    }
  }

  /// Does `body` over and over on a thread of its own.
  func loop(_ body: @escaping @Sendable (GuestRAM) -> Void) {
    running.add(1, ordering: .sequentiallyConsistent)
    Thread.detachNewThread { [self] in
      while !isStopped.load(ordering: .relaxed) { body(ram) }
      running.subtract(1, ordering: .sequentiallyConsistent)
    }
  }

  /// Nothing is written any more when this returns.
  func stop() {
    isStopped.store(true, ordering: .relaxed)
    while running.load(ordering: .sequentiallyConsistent) > 0 { sched_yield() }
  }
}
