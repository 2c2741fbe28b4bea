// SPDX-License-Identifier: Apache-2.0

public import Memory
import Wire

/// What a link does to the octets of a frame.
public enum FrameChange {
  /// Congestion experienced (RFC 3168 §5), in both bits of the field.
  private static let experienced: UInt8 = 3

  /// Turns over one bit, counted from the frame's first.
  public static func corrupt(_ frame: ByteRegion, bit: Int) {
    let octet = frame.load(UInt8.self, at: bit / 8)
    frame.store(octet ^ (0x80 >> UInt8(bit % 8)), at: bit / 8)
  }

  /// Marks congestion, and mends the header's checksum (RFC 1624).
  ///
  /// - Returns: false if the frame is not IP, or its sender does not say that it understands marks, or it is marked.
  public static func markCongestion(_ frame: ByteRegion) -> Bool {
    guard let layout = FrameLayout(parsing: frame, frameLength: frame.count), layout.ipVersion != 0 else {
      return false
    }
    let start = layout.networkOffset
    let old: UInt16 = frame.networkOrder(at: start)
    // The field is in the second octet of IPv4, and one nibble further up in IPv6, where the flow label begins.
    let shift: UInt16 = layout.ipVersion == 4 ? 0 : 4
    let field = UInt8(truncatingIfNeeded: old >> shift) & experienced
    guard field != 0, field != experienced else { return false }
    let new = old | UInt16(experienced) << shift
    frame.storeNetworkOrder(new, at: start)
    guard layout.ipVersion == 4 else { return true }
    let checksum: UInt16 = frame.networkOrder(at: start + 10)
    frame.storeNetworkOrder(InternetChecksum.update(checksum, replacing: old, with: new), at: start + 10)
    return true
  }
}
