// SPDX-License-Identifier: Apache-2.0

import DomainXML
import Memory
import Polling
import Timekeeping

/// What libvirt writes to us.
enum StandardInput {
  private static let descriptor: Int32 = 0

  /// All of it until its end, or what came until the deadline; one octet more than a domain's XML may have at most.
  static func read(by deadline: Instant) -> [UInt8] {
    let room = ByteRegion.allocate(count: 65_536)
    defer { room.deallocate() }
    var octets: [UInt8] = []
    // A file can't be waited for, and need not be.
    let poller = try? Poller(maximumEvents: 1)
    let waits = (try? poller?.add(descriptor, .readable, token: 0)) != nil
    while octets.count <= XMLLimits.octets {
      if waits, let poller, poller.wait(timeout: deadline - MonotonicClock.now()) == 0 {
        guard MonotonicClock.now() < deadline else { return octets }
        continue
      }
      switch ByteStream.read(descriptor, into: room) {
      case .bytes(let count): octets += room.slice(from: 0, count: count).bytes
      case .wouldBlock: guard MonotonicClock.now() < deadline else { return octets }
      case .end, .failed: return octets
      }
    }
    return octets
  }
}
