// SPDX-License-Identifier: Apache-2.0

import Memory

/// A virtqueue's three areas, mapped (virtio 1.3, 2.6): the split ring's descriptor table, available and used ring, or
/// the packed ring's descriptor ring, driver and device event suppression.
public struct RingAreas: Sendable {
  let descriptors: ByteRegion
  let driver: ByteRegion
  let device: ByteRegion

  /// Finds the areas; nil if one is not wholly inside one region or is not aligned as the format asks (2.7, 2.8).
  public init?(
    format: RingFormat, size: Int, descriptorAddress: UInt64, driverAddress: UInt64, deviceAddress: UInt64,
    memory: GuestMemory
  ) {
    let bytes: (Int, Int, Int)
    let driverAlignment: UInt64
    switch format {
    case .split:
      bytes = (
        SplitRing.descriptorBytes(size: size), SplitRing.availableBytes(size: size), SplitRing.usedBytes(size: size)
      )
      driverAlignment = 2
    case .packed:
      bytes = (PackedRing.descriptorBytes(size: size), 4, 4)
      driverAlignment = 4
    }
    guard descriptorAddress % 16 == 0, driverAddress % driverAlignment == 0, deviceAddress % 4 == 0,
      let descriptors = memory.area(userAddress: descriptorAddress, length: bytes.0),
      let driver = memory.area(userAddress: driverAddress, length: bytes.1),
      let device = memory.area(userAddress: deviceAddress, length: bytes.2)
    else { return nil }
    // Here too: a region may start anywhere in its file, and an atomic access does not cross a word everywhere.
    guard descriptors.isAligned(to: 16), driver.isAligned(to: Int(driverAlignment)), device.isAligned(to: 4) else {
      return nil
    }
    self.descriptors = descriptors
    self.driver = driver
    self.device = device
  }
}
