// SPDX-License-Identifier: Apache-2.0

import Arena
public import Timekeeping

// When an end, or the module's place between them, is about to go (dangers 2, 5 and 53).

extension VTCPModule {
  /// Whether to take no new ownership: the guest is about to leave this host. What is owned is still delivered.
  public func setQuiescing(_ isQuiescing: Bool, now: Instant) {
    guard isQuiescing != self.isQuiescing else { return }
    self.isQuiescing = isQuiescing
    forEachFlow { flow in
      for sender in [Leg.guest, .network] { settle(SideIndex(flow, sender: sender), now) }
      schedule(flow, now)
    }
  }

  /// Octets that were acknowledged and whose receiver does not have them yet, in both directions of all connections.
  public var ownedOctets: Int {
    var sum = 0
    forEachFlow { flow in
      for sender in [Leg.guest, .network] {
        let side = store[SideIndex(flow, sender: sender)]
        if side.isOurs { sum += side.owned }
      }
    }
    return sum
  }

  /// The guest is gone and will not come back. Who has sent it what it can't get any more, or waits for what it can't send
  /// any more, is told by a reset, rather than left to find out (R33, danger 2). All connections are forgotten.
  public func guestGone() {
    forEachFlow { flow in
      let transmit = store[SideIndex(flow, sender: .guest)]
      let receive = store[SideIndex(flow, sender: .network)]
      let owes = transmit.isOurs && transmit.owned > 0 || receive.isOurs && receive.owned > 0
      if owes { abandon(flow, towards: [.network]) } else { forget(flow) }
    }
  }

  func forEachFlow(_ body: (RecordIndex) -> Void) {
    var place: UInt32 = 1
    while Int(place) <= store.flows.highWater {
      let flow = RecordIndex(rawValue: place)
      if store.flows.isInUse(flow) { body(flow) }
      place += 1
    }
  }
}
