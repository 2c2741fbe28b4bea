// SPDX-License-Identifier: Apache-2.0

import Arena
import TCPPolicy

// Shares of what connections have together: the memory for payload (R42), and the turns on a leg (R43).

extension VTCPModule {
  /// What a connection may send to a leg, for each unit of its weight, before others have their turn: one large send. Octets.
  private static var quantum: Int { 65536 }
  /// What a frame costs beside its payload.
  private static var frameCost: Int { 100 }

  // MARK: Memory

  /// Mode `limit` takes no part of the memory.
  func weight(_ index: SideIndex) -> Int {
    policy(index).mode == .limit ? 0 : Int(policy(index).configuration.bufferWeight)
  }

  /// Of every side that has what it needs to send; for who goes on with another's memory.
  func weightOfAll() -> Int {
    var sum = 0
    var flow = store.first(of: .age)
    while !flow.isNone {
      sum &+= weight(of: flow)
      flow = store.flows[flow].age.next
    }
    return sum
  }

  /// Of those of its sides that have what they need to send.
  func weight(of flow: RecordIndex) -> Int {
    var sum = 0
    for sender in [Leg.guest, .network] {
      let side = SideIndex(flow, sender: sender)
      if !store[side].sending.isNone { sum &+= weight(side) }
    }
    return sum
  }

  /// The most octets that a side may fill now: its part, by weight, of twice what is free.
  ///
  /// So the shares of those that fill theirs are as their weights, and a third of the pool remains for who comes next: he gets his
  /// share of that at once, and the others' shrink (a dynamic threshold: Choudhury and Hahne, IEEE/ACM Transactions on Networking
  /// 6(2), 1998).
  func shareOfPool(_ index: SideIndex) -> Int {
    let free = store.chunks.limit &- store.chunks.inUse
    let weight = weight(index)
    // It may hold nothing yet, and not be counted.
    return 2 &* free &* weight / max(weightInUse, weight, 1) &* ChunkPool.chunkBytes
  }

  /// Gives back everything that a side holds. What was owned is lost.
  func clear(_ index: SideIndex) {
    keepRoundTrip(index)
    if isShaping { leaveTurns(index) }
    if !store[index].sending.isNone {
      weightInUse &-= weight(index)
      if store[index].state == .limiting { limitingCount &-= 1 }
    }
    store[index].flags.remove(.senderLimited)
    store.clear(index)
  }

  // MARK: Turns

  /// The connection has sent a frame to the leg: whether others have their turn now (deficit round robin).
  func hadTurn(_ flow: RecordIndex, _ leg: Leg, payloadCount: Int) {
    let credit = store.flows[flow].credit(leg) &- payloadCount &- Self.frameCost
    guard credit <= 0 else {
      store.flows[flow].setCredit(credit, leg)
      return
    }
    let weight = Int(policy(of: flow).configuration.servingWeight)
    store.flows[flow].setCredit(min(credit, 0) &+ max(weight, 1) &* Self.quantum, leg)
    store.append(flow, to: FlowList(towards: leg))
  }

  /// It has nothing more for the leg; what it did not use up does not wait for it.
  func endedTurn(_ flow: RecordIndex, _ leg: Leg) {
    store.flows[flow].setCredit(0, leg)
    store.remove(flow, from: FlowList(towards: leg))
  }
}
