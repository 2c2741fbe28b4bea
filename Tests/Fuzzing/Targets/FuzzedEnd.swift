// SPDX-License-Identifier: Apache-2.0

/// One end of one of the connections of an input.
struct FuzzedEnd: Hashable {
  let isNetwork: Bool
  /// 0 to 3.
  let connection: UInt8
  let isIPv6: Bool

  /// - Parameter what: bit 0 the network's, 1 and 2 which connection, 3 IPv6.
  init(_ what: UInt8) {
    isNetwork = what & 1 == 1
    connection = what >> 1 & 3
    isIPv6 = what & 8 != 0
  }

  private init(isNetwork: Bool, of end: FuzzedEnd) {
    self.isNetwork = isNetwork
    connection = end.connection
    isIPv6 = end.isIPv6
  }

  var other: FuzzedEnd { FuzzedEnd(isNetwork: !isNetwork, of: self) }
  var sourcePort: UInt16 { isNetwork ? 80 : 1000 + UInt16(connection) }
  var destinationPort: UInt16 { isNetwork ? 1000 + UInt16(connection) : 80 }

  /// The octet that this end sends at a sequence number, always.
  func octet(at number: UInt32) -> UInt8 {
    var mixed =
      number &* 0x9e37_79b1 &+ UInt32(connection) &* 0x85eb_ca6b &+ (isNetwork ? 77 : 0) &+ (isIPv6 ? 1999 : 0)
    mixed ^= mixed >> 15
    return UInt8(truncatingIfNeeded: mixed >> 7)
  }
}
