// SPDX-License-Identifier: Apache-2.0

/// A place in a packed ring: a descriptor's index and the lap's wrap counter (virtio 1.3, 2.8.1).
struct PackedPosition: Equatable, BitwiseCopyable {
  var index: UInt16
  var wrap: Bool

  init(index: UInt16, wrap: Bool) {
    self.index = index
    self.wrap = wrap
  }

  /// The form on the wire and in event suppression: the index in 15 bits, the wrap counter in the highest.
  init(rawValue: UInt16) {
    index = rawValue & 0x7fff
    wrap = rawValue & 0x8000 != 0
  }

  var rawValue: UInt16 { index | (wrap ? 0x8000 : 0) }

  /// Moves on by `count <= size` descriptors.
  @inline(__always)
  mutating func advance(by count: UInt16, size: UInt16) {
    // Int: index and count are below 2^15 each, but a ring of 32768 makes the sum 2^16.
    let sum = Int(index) &+ Int(count)
    if sum >= Int(size) {
      index = UInt16(truncatingIfNeeded: sum &- Int(size))
      wrap.toggle()
    } else {
      index = UInt16(truncatingIfNeeded: sum)
    }
  }
}
