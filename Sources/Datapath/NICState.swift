// SPDX-License-Identifier: Apache-2.0

import Memory
import VhostUser
import Wire

/// Which NIC a state is of. Section 1, 16 octets: pairs offered (u32), `--mtu` or 0 (u32), `--mac` or 0 (6), 0 (2).
struct NICState {
  static let type: UInt16 = 1
  private static let byteCount = 16

  let queuePairs: UInt32
  /// The largest that its guest may have been given; 0: what its uplink carried.
  let mtu: Int
  let macAddress: MACAddress?

  init(_ nic: VirtualNIC) {
    queuePairs = UInt32(truncatingIfNeeded: nic.configuration.queuePairs)
    mtu = nic.configuration.mtu ?? 0
    macAddress = nic.configuration.macAddress
  }

  init?(_ section: DeviceState.Section) {
    guard section.payload.count == Self.byteCount else { return nil }
    let region = ByteRegion.allocate(count: Self.byteCount)
    defer { region.deallocate() }
    region.copy(from: section.payload)
    queuePairs = region.load(at: 0)
    mtu = Int(region.load(UInt32.self, at: 4))
    macAddress = region.load(UInt64.self, at: 8) == 0 ? nil : MACAddress(decoding: region, at: 8)
  }

  var section: DeviceState.Section {
    let region = ByteRegion.allocate(count: Self.byteCount)
    defer { region.deallocate() }
    region.store(queuePairs, at: 0)
    region.store(UInt32(truncatingIfNeeded: mtu), at: 4)
    macAddress?.encode(into: region, at: 8)
    return DeviceState.Section(type: Self.type, mustBeUnderstood: true, payload: region.bytes)
  }
}
