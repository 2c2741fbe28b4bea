// SPDX-License-Identifier: Apache-2.0

/// RFC 1071 as it is written down: word by word, most significant byte first, carry added at once.
public enum NaiveChecksum {
  public static func sum(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    bytes.withUnsafeBufferPointer { bytes in
      var index = 0
      while index < bytes.count {
        let low: UInt32 = index + 1 < bytes.count ? UInt32(bytes[index + 1]) : 0
        sum &+= UInt32(bytes[index]) << 8 | low
        if sum > 0xffff { sum = (sum & 0xffff) &+ 1 }
        index &+= 2
      }
    }
    return UInt16(sum)
  }

  public static func checksum(_ bytes: [UInt8]) -> UInt16 { ~sum(bytes) }
}
