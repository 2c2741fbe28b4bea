// SPDX-License-Identifier: Apache-2.0

import Memory

/// Numbers and lengths of TCP options (TCP Option Kind Numbers registry).
enum TCPOptionNumber {
  static let endOfList: UInt8 = 0
  static let noOperation: UInt8 = 1
  static let sack: UInt8 = 5
  static let timestamps: UInt8 = 8

  /// RFC 7413 §4.1.1 and RFC 6994: how Fast Open was told before it had a number.
  private static let experiment: UInt8 = 254
  private static let fastOpenExperiment: UInt16 = 0xf989

  /// What the option of this number is; `length` bytes from `offset` on are there.
  static func option(_ kind: UInt8, _ length: Int, _ head: ByteRegion, at offset: Int) -> TCPOptionKinds {
    switch kind {
    case 2: .maximumSegmentSize
    case 3: .windowScale
    case 4: .sackPermitted
    case sack: .sack
    case timestamps: .timestamps
    case 19: .md5
    case 29: .authentication
    case 30: .multipath
    case 34: .fastOpen
    case 172, 174: .accurateECN
    case experiment where length >= 4 && head.networkOrder(UInt16.self, at: offset &+ 2) == fastOpenExperiment:
      .fastOpen
    default: .unknown
    }
  }

  /// Whether an option may be so long, with its kind and length.
  static func isLength(_ length: Int, of option: TCPOptionKinds) -> Bool {
    switch option {
    case .maximumSegmentSize: length == 4
    case .windowScale: length == 3
    case .sackPermitted: length == 2
    case .sack: length > 2 && length & 7 == 2
    case .timestamps: length == 10
    case .md5: length == 18
    case .authentication: length >= 4
    case .multipath: length >= 3
    // RFC 7413 §4.1.1: no cookie, or 4 to 16 octets. The experiment's number takes two more.
    case .fastOpen: length & 1 == 0 && length <= 20
    // RFC 9768 §3.2.3: none to three counters of three octets.
    case .accurateECN: length <= 11 && length % 3 == 2
    default: true
    }
  }
}
