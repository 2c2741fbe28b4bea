// SPDX-License-Identifier: Apache-2.0

/// Offsets of fields in the UDP header, RFC 768.
enum UDPField {
  static let length = 4
  static let checksum = 6
  static let data = 8
}
