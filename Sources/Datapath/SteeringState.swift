// SPDX-License-Identifier: Apache-2.0

import Memory
import VhostUser

/// Which flow is on which queue pair. Section 3: seed of the flow hash (u64), slots of the table (u32), entries (u32), then
/// for each entry its slot (u16) and its pair (u16). Of no use without the seed, by which flows get their slots.
struct SteeringState {
  static let type: UInt16 = 3
  private static let header = 16

  let seed: UInt64
  let learned: [(slot: Int, pair: Int)]

  init(_ nic: VirtualNIC) {
    seed = nic.flowSeed
    learned = nic.steering.learned
  }

  init?(_ section: DeviceState.Section) {
    let region = ByteRegion.allocate(count: section.payload.count)
    defer { region.deallocate() }
    region.copy(from: section.payload)
    guard region.count >= Self.header, region.load(UInt32.self, at: 8) == UInt32(FlowSteering.size) else { return nil }
    let count = Int(region.load(UInt32.self, at: 12))
    guard count <= FlowSteering.size, region.count == Self.header + 4 * count else { return nil }
    seed = region.load(at: 0)
    learned = (0..<count).map { index in
      let offset = Self.header + 4 * index
      return (Int(region.load(UInt16.self, at: offset)), Int(region.load(UInt16.self, at: offset + 2)))
    }
    guard learned.allSatisfy({ $0.slot < FlowSteering.size }) else { return nil }
  }

  var section: DeviceState.Section {
    let region = ByteRegion.allocate(count: Self.header + 4 * learned.count)
    defer { region.deallocate() }
    region.store(seed, at: 0)
    region.store(UInt32(FlowSteering.size), at: 8)
    region.store(UInt32(truncatingIfNeeded: learned.count), at: 12)
    for (index, entry) in learned.enumerated() {
      region.store(UInt16(truncatingIfNeeded: entry.slot), at: Self.header + 4 * index)
      region.store(UInt16(truncatingIfNeeded: entry.pair), at: Self.header + 4 * index + 2)
    }
    return DeviceState.Section(type: Self.type, mustBeUnderstood: false, payload: region.bytes)
  }
}
