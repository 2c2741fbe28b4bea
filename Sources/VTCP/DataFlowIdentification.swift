// SPDX-License-Identifier: Apache-2.0

import Arena

/// Which connection a packet is of (FIG. 15, 1540; FIG. 16): by the key, through a hash.
struct DataFlowIdentification: Sendable {
  private let flows: RecordPool<Flow>
  private let index: FlowIndex
  private let keyHash: KeyHash

  init(flows: RecordPool<Flow>, index: FlowIndex, seed: UInt64) {
    self.flows = flows
    self.index = index
    keyHash = KeyHash(seed: seed)
  }

  func hash(_ key: FlowKey) -> UInt64 {
    keyHash.hash(
      key.guestAddressHigh, key.guestAddressLow, key.networkAddressHigh, key.networkAddressLow,
      UInt64(key.guestPort) &<< 48 | UInt64(key.networkPort) &<< 32 | UInt64(key.vlan),
      UInt64(key.virtualNetwork) &<< 16 | UInt64(key.transportProtocol) &<< 8 | UInt64(key.ipVersion))
  }

  /// - Parameter first: a connection that it may well be, whose record is in use; or none.
  func find(_ key: FlowKey, first: RecordIndex = .none) -> RecordIndex? {
    if !first.isNone, flows[first].key == key { return first }
    var candidate = index.firstCandidate(hash(key))
    while !candidate.index.isNone {
      if flows[candidate.index].key == key { return candidate.index }
      candidate = index.nextCandidate(after: candidate)
    }
    return nil
  }

  /// False if there is no room for it near its place.
  func insert(_ flow: RecordIndex, hash: UInt64) -> Bool { index.insert(flow, hash: hash) }

  func remove(_ flow: RecordIndex, hash: UInt64) { _ = index.remove(flow, hash: hash) }
}
