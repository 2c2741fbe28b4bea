// SPDX-License-Identifier: Apache-2.0

/// struct virtio_net_hdr (virtio 1.3, 5.1.6), as the mocks write and read it.
public struct NetworkHeader: Equatable, Sendable {
  public static let needsChecksum: UInt8 = 1
  public static let dataIsValid: UInt8 = 2
  public static let gsoNone: UInt8 = 0
  public static let gsoTCP4: UInt8 = 1
  public static let gsoTCP6: UInt8 = 4
  public static let gsoUDP: UInt8 = 5
  public static let gsoECN: UInt8 = 0x80

  public var flags: UInt8 = 0
  public var gsoType: UInt8 = 0
  public var headerLength: UInt16 = 0
  public var gsoSize: UInt16 = 0
  public var checksumStart: UInt16 = 0
  public var checksumOffset: UInt16 = 0
  /// Only in the 12-octet form.
  public var bufferCount: UInt16 = 0

  public init() {}

  public init(decoding octets: [UInt8]) {
    func half(_ offset: Int) -> UInt16 { UInt16(octets[offset]) | UInt16(octets[offset + 1]) << 8 }
    flags = octets[0]
    gsoType = octets[1]
    (headerLength, gsoSize, checksumStart, checksumOffset) = (half(2), half(4), half(6), half(8))
    if octets.count >= 12 { bufferCount = half(10) }
  }

  /// The header in 10 or 12 octets, little-endian.
  public func octets(_ length: Int) -> [UInt8] {
    let numbers = [headerLength, gsoSize, checksumStart, checksumOffset, bufferCount]
    return Array(([flags, gsoType] + numbers.flatMap { FrontEnd.octets($0) }).prefix(length))
  }
}
