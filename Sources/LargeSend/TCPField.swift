// SPDX-License-Identifier: Apache-2.0

/// Offsets of fields in the TCP header, RFC 9293 §3.1, and its control bits.
enum TCPField {
  static let sequenceNumber = 4
  static let acknowledgmentNumber = 8
  /// Data offset, reserved bits and control bits: one 16-bit word.
  static let control = 12
  static let window = 14
  static let checksum = 16
  static let urgentPointer = 18
  static let options = 20

  static let fin: UInt16 = 0x01
  static let syn: UInt16 = 0x02
  static let rst: UInt16 = 0x04
  static let psh: UInt16 = 0x08
  static let urg: UInt16 = 0x20
  /// RFC 3168 §6.1.
  static let cwr: UInt16 = 0x80
}
