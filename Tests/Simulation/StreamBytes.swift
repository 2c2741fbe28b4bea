// SPDX-License-Identifier: Apache-2.0

import Memory

/// A stream whose every octet is known by its place, so that nobody needs to keep it to compare it.
struct StreamBytes: Sendable {
  let seed: UInt64

  @inline(__always)
  private func word(_ index: Int) -> UInt64 {
    var mixed = UInt64(bitPattern: Int64(index)) &* 0x9e37_79b9_7f4a_7c15 ^ seed
    mixed = (mixed ^ (mixed >> 29)) &* 0xbf58_476d_1ce4_e5b9
    return mixed ^ (mixed >> 32)
  }

  func octet(at place: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: word(place >> 3) >> UInt64((place & 7) * 8))
  }

  /// Writes the octets from `place` on to all of `region`.
  func fill(_ region: ByteRegion, from place: Int) {
    var done = 0
    while done < region.count {
      let at = place + done
      if at & 7 == 0, region.count - done >= 8 {
        region.store(word(at >> 3), at: done)
        done += 8
      } else {
        region.store(octet(at: at), at: done)
        done += 1
      }
    }
  }

  /// Whether `region` holds the octets from `place` on.
  func matches(_ region: ByteRegion, from place: Int) -> Bool {
    var done = 0
    while done < region.count {
      let at = place + done
      if at & 7 == 0, region.count - done >= 8 {
        guard region.load(UInt64.self, at: done) == word(at >> 3) else { return false }
        done += 8
      } else {
        guard region.load(UInt8.self, at: done) == octet(at: at) else { return false }
        done += 1
      }
    }
    return true
  }
}
