// SPDX-License-Identifier: Apache-2.0

/// Where the writes to one ring's own areas are marked while the guest migrates.
struct RingLog: Sendable {
  private let log: DirtyLog
  /// The guest's address of the descriptor area; a packed ring's device writes it.
  private let descriptors: UInt64
  /// What stands for the device's area in the log (`log_guest_addr`; it need not be memory of the guest); nil: writes to
  /// the ring are not asked for.
  private let device: UInt64?

  init(_ log: DirtyLog, descriptors: UInt64?, device: UInt64?) {
    self.log = log
    // It lies in a region. If it did not, the mark would be counted as lost.
    self.descriptors = descriptors ?? .max
    self.device = device
  }

  /// Whether any write to the ring is to be marked.
  @inline(__always)
  var isOn: Bool { device != nil || log.isOn }

  /// `length` bytes of the device's area were written.
  @inline(__always)
  func wroteDevice(at offset: Int, length: Int) {
    guard let device else { return }
    log.mark(device, offset: offset, length: length)
  }

  /// A packed ring's descriptors are both its used ring and memory of the guest: either reason will do.
  func wroteDescriptors(at offset: Int, length: Int) {
    log.mark(descriptors, offset: offset, length: length)
  }
}
