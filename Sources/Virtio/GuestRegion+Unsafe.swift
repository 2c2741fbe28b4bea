// SPDX-License-Identifier: Apache-2.0

public import Memory

/// One region of guest memory as the front-end announced it, mapped into this process.
public struct GuestRegion: BitwiseCopyable, Sendable {
  /// Where the guest sees it (guest physical, or I/O virtual, address).
  public let guestAddress: UInt64
  /// Where the front-end sees it; ring addresses are given in these terms.
  public let userAddress: UInt64
  /// Bytes. Never zero, and neither address wraps within it.
  public let size: UInt64
  /// Where this process sees it.
  let host: UInt

  /// Nil if the size is zero or an address would wrap.
  public init?(guestAddress: UInt64, userAddress: UInt64, mapping: ByteRegion) {
    let size = UInt64(mapping.count)
    guard size > 0, guestAddress <= UInt64.max - size, userAddress <= UInt64.max - size else { return nil }
    self.guestAddress = guestAddress
    self.userAddress = userAddress
    self.size = size
    host = UInt(bitPattern: mapping.base)
  }

  /// Whether some guest address is in both.
  public func overlaps(_ other: GuestRegion) -> Bool {
    guestAddress < other.guestAddress + other.size && other.guestAddress < guestAddress + size
  }

  /// The bytes from a guest address on, at most `length` and at most to the region's end; nil if the first is not in it.
  @inline(__always)
  func range(at address: UInt64, upTo length: UInt64) -> ByteRegion? {
    // An address below the region wraps to a large offset and fails here too.
    let offset = address &- guestAddress
    guard offset < size else { return nil }
    return range(at: address, count: min(length, size &- offset))
  }

  /// The bytes at a guest address; nil if not all of them are in the region.
  @inline(__always)
  func range(at address: UInt64, count length: UInt64) -> ByteRegion? {
    let offset = address &- guestAddress
    // SAFETY: length <= size - offset; whoever adds a region keeps `host ..< host + size` mapped.
    guard offset < size, length <= size &- offset,
      let base = UnsafeMutableRawPointer(bitPattern: host &+ UInt(truncatingIfNeeded: offset))
    else { return nil }
    return ByteRegion(base: base, count: Int(truncatingIfNeeded: length))
  }

  private init() {
    guestAddress = 0
    userAddress = 0
    size = 0
    host = 0
  }

  static let none = GuestRegion()
}
