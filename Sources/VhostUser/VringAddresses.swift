// SPDX-License-Identifier: Apache-2.0

import Memory

/// `VHOST_USER_SET_VRING_ADDR` ("A vring address description"); addresses are the front-end's.
struct VringAddresses: Equatable, Sendable {
  static let byteCount = 40
  /// `VHOST_VRING_F_LOG`
  private static let logUsed: UInt32 = 1

  let index: Int
  let descriptors: UInt64
  /// The used ring, or the device event suppression.
  let device: UInt64
  /// The available ring, or the driver event suppression.
  let driver: UInt64
  /// Where writes to the used ring are marked in the dirty log, if they are to be.
  let log: UInt64?

  init?(decoding bytes: ByteRegion) {
    guard bytes.count == Self.byteCount else { return nil }
    index = Int(bytes.load(UInt32.self, at: 0))
    let flags: UInt32 = bytes.load(at: 4)
    descriptors = bytes.load(at: 8)
    device = bytes.load(at: 16)
    driver = bytes.load(at: 24)
    log = flags & Self.logUsed != 0 ? bytes.load(UInt64.self, at: 32) : nil
  }

  init(index: Int, descriptors: UInt64, device: UInt64, driver: UInt64, log: UInt64?) {
    self.index = index
    self.descriptors = descriptors
    self.device = device
    self.driver = driver
    self.log = log
  }

  /// As it travels.
  var encoded: [UInt8] {
    UInt32(truncatingIfNeeded: index).littleEndianBytes + (log == nil ? 0 : Self.logUsed).littleEndianBytes
      + descriptors.littleEndianBytes + device.littleEndianBytes + driver.littleEndianBytes
      + (log ?? 0).littleEndianBytes
  }
}
