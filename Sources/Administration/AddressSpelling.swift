// SPDX-License-Identifier: Apache-2.0

import Monitoring
import TCPPolicy

/// Addresses as statistics spell them: RFC 5952 for IPv6.
enum AddressSpelling {
  /// Nil: it is none.
  static func canonical(_ text: String) -> String? {
    if let address = AddressParser.ipv4(text[...]) {
      return AddressText.address(high: 0, low: UInt64(address), ipVersion: 4)
    }
    guard let address = AddressParser.ipv6(text[...]) else { return nil }
    return AddressText.address(high: address.high, low: address.low, ipVersion: 6)
  }
}
