// SPDX-License-Identifier: Apache-2.0

/// What a device has besides guest memory and rings, on its way to the same device of another host: a container of
/// sections (docs/device-state.md). It knows nothing of what they hold.
public struct DeviceState: Equatable, Sendable {
  /// One subject.
  public struct Section: Equatable, Sendable {
    public var type: UInt16
    /// Who does not know the type must refuse the whole state, and may not pass over the section.
    public var mustBeUnderstood: Bool
    public var payload: [UInt8]

    public init(type: UInt16, mustBeUnderstood: Bool, payload: [UInt8]) {
      self.type = type
      self.mustBeUnderstood = mustBeUnderstood
      self.payload = payload
    }
  }

  /// The most that is taken. Bytes; hundreds of times what a NIC has, and room for what its flows may bring.
  public static let maximumByteCount = 16 << 20
  private static let maximumSections = 64
  static let headerByteCount = 24
  private static let magic: [UInt8] = Array("vTCPmigr".utf8)
  private static let version: UInt32 = 1
  private static let sectionHeader = 8
  private static let checksumByteCount = 8
  private static let understandFlag: UInt16 = 1

  public var sections: [Section]

  public init(sections: [Section]) { self.sections = sections }

  public subscript(type: UInt16) -> Section? { sections.first { $0.type == type } }

  public func encoded() -> [UInt8] {
    var body: [UInt8] = []
    for section in sections {
      body += section.type.littleEndianBytes
      body += (section.mustBeUnderstood ? Self.understandFlag : 0).littleEndianBytes
      body += UInt32(section.payload.count).littleEndianBytes
      body += section.payload
      body += [UInt8](repeating: 0, count: Self.padding(section.payload.count))
    }
    let total = Self.headerByteCount + body.count + Self.checksumByteCount
    let bytes =
      Self.magic + Self.version.littleEndianBytes + UInt32(sections.count).littleEndianBytes
      + UInt64(total).littleEndianBytes + body
    return bytes + CRC64.of(bytes[...]).littleEndianBytes
  }

  private static func padding(_ count: Int) -> Int { (8 - count % 8) % 8 }

  /// How long a state is that begins with `header`. Throws as soon as it is none of ours.
  static func byteCount(header: ArraySlice<UInt8>) throws(DeviceStateError) -> Int {
    guard header.count >= headerByteCount else { throw .tooShort }
    guard header.prefix(8).elementsEqual(magic) else { throw .unknownMagic }
    let found = number(UInt32.self, header, at: 8)
    guard found == version else { throw .unknownVersion(found) }
    let total = number(UInt64.self, header, at: 16)
    guard total >= UInt64(headerByteCount + checksumByteCount) else { throw .malformed }
    guard total <= UInt64(maximumByteCount) else { throw .tooLong }
    return Int(total)
  }

  /// Takes a whole state apart. What it says of itself is compared with what it is before anything is believed.
  public init(decoding bytes: [UInt8]) throws(DeviceStateError) {
    let total = try Self.byteCount(header: bytes[...])
    guard bytes.count >= total else { throw .tooShort }
    guard bytes.count == total else { throw .tooLong }
    let end = total - Self.checksumByteCount
    guard CRC64.of(bytes[..<end]) == Self.number(UInt64.self, bytes[...], at: end) else { throw .checksum }
    let count = Self.number(UInt32.self, bytes[...], at: 12)
    guard count <= UInt32(Self.maximumSections) else { throw .malformed }
    sections = []
    var offset = Self.headerByteCount
    while offset < end {
      guard end - offset >= Self.sectionHeader else { throw .malformed }
      let length = Int(Self.number(UInt32.self, bytes[...], at: offset + 4))
      let flags = Self.number(UInt16.self, bytes[...], at: offset + 2)
      let start = offset + Self.sectionHeader
      guard length <= end - start, length + Self.padding(length) <= end - start, flags & ~Self.understandFlag == 0
      else { throw .malformed }
      let type = Self.number(UInt16.self, bytes[...], at: offset)
      guard self[type] == nil, sections.count < Int(count) else { throw .malformed }
      sections.append(
        Section(
          type: type, mustBeUnderstood: flags & Self.understandFlag != 0,
          payload: Array(bytes[start..<start + length])))
      offset = start + length + Self.padding(length)
    }
    guard sections.count == Int(count) else { throw .malformed }
  }

  private static func number<T: FixedWidthInteger>(_: T.Type, _ bytes: ArraySlice<UInt8>, at offset: Int) -> T {
    let start = bytes.startIndex + offset
    return bytes[start..<start + T.bitWidth / 8].reversed().reduce(0) { $0 << 8 | T($1) }
  }
}
