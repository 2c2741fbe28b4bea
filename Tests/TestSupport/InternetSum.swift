// SPDX-License-Identifier: Apache-2.0

/// The ones' complement sum of RFC 1071, two octets at a time and nothing clever.
public enum InternetSum {
  public static func of(_ octets: [UInt8], adding start: UInt32 = 0) -> UInt16 {
    var sum = UInt64(start)
    for index in stride(from: 0, to: octets.count, by: 2) {
      sum += UInt64(octets[index]) << 8 | (index + 1 < octets.count ? UInt64(octets[index + 1]) : 0)
    }
    while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
    return UInt16(sum)
  }

  /// RFC 9293 section 3.1 and RFC 8200 section 8.1; the length is added as two halves.
  public static func pseudoHeader(
    _ source: [UInt8], _ destination: [UInt8], _ transport: UInt8, length: Int
  ) -> UInt32 {
    UInt32(of(source + destination)) + UInt32(transport) + UInt32(length >> 16) + UInt32(length & 0xffff)
  }
}
