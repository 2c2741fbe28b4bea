// SPDX-License-Identifier: Apache-2.0

/// Codes of options (draft-ietf-opsawg-pcapng §3.5, §4).
enum PcapngOption {
  static let end: UInt16 = 0
  static let comment: UInt16 = 1
  // Of a section header.
  static let application: UInt16 = 4
  // Of an interface.
  static let name: UInt16 = 2
  static let description: UInt16 = 3
  static let timeResolution: UInt16 = 9
  // Of a packet.
  static let flags: UInt16 = 2
  static let dropCount: UInt16 = 4
  // Of an interface's statistics.
  static let startTime: UInt16 = 2
  static let endTime: UInt16 = 3
  static let received: UInt16 = 4
  static let dropped: UInt16 = 5
  static let accepted: UInt16 = 6
  static let delivered: UInt16 = 8
}
