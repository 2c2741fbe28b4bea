// SPDX-License-Identifier: Apache-2.0

import Memory
import Virtio

// The guest's buffers.

extension ReceivePath {
  /// Takes more buffers until they hold `wanted` bytes; false if none came.
  func refill(_ end: QueueEnd, _ wanted: Int) -> Bool {
    var came = false
    while end.chains.byteCount < wanted || end.chains.isEmpty {
      guard end.queue.pop(limit: 64, into: &end.chains) > 0 else { break }
      came = true
    }
    if came { end.disableKicks() }
    return came && end.chains.byteCount >= wanted
  }

  /// Asks the driver for a kick when it posts a buffer; true if one came meanwhile.
  func wakeOnBuffers(_ end: QueueEnd) -> Bool {
    guard end.chains.count < end.queue.size, !end.chains.isFull else { return false }
    return end.enableKicks()
  }

  /// Gives back, unused, buffers at the front that are too small to be of use. False if nothing is left.
  func skipUnusable(_ end: QueueEnd) -> Bool {
    while !end.chains.isEmpty {
      let chain = end.chains.chains[end.chains.first]
      if chain.isSound, chain.byteCount >= guest.smallestBuffer { return true }
      end.counters.add(.unsoundChains)
      end.queue.completeWritten(0, chains: 1, of: &end.chains)
      end.hasUnpublished = true
    }
    return false
  }

  /// Everything that the driver can post is here already.
  func isFull(_ end: QueueEnd) -> Bool { end.chains.count >= end.queue.size || end.chains.isFull }
}
