// SPDX-License-Identifier: Apache-2.0

/// Reads blocks from octets as they come, and believes nothing of them.
///
/// What is not known is passed over, as the format asks for. Of byte orders there is that of little-endian machines, and of what has a
/// time the resolutions up to nanoseconds.
public struct PcapngReader {
  /// The largest block that is taken: more than the largest packet. Octets.
  static let mostBlockBytes = 1 << 20
  private static let mostInterfaces = 64

  private struct Interface {
    var name = ""
    /// Nanoseconds of a unit of its times.
    var unit: UInt64 = 1000
  }

  private var octets: [UInt8] = []
  /// Before it everything was read.
  private var place = 0
  private var isInSection = false
  private var interfaces: [Interface] = []
  /// Missed by statistics that were read so far, and whether there were any.
  public private(set) var missed: UInt64 = 0
  public private(set) var hasStatistics = false

  public init() {}

  public mutating func take(_ more: some Sequence<UInt8>) {
    if place > 0 {
      octets.removeFirst(place)
      place = 0
    }
    octets += more
  }

  /// Nothing is left over that would be the beginning of something.
  public var isAtEnd: Bool { place == octets.count }

  /// The next packet; nil: more octets are needed.
  public mutating func next() throws(PcapngError) -> CapturedPacket? {
    while let block = try nextBlock() {
      switch block.type {
      case PcapngBlock.sectionHeader: interfaces = []
      case PcapngBlock.interfaceDescription: try describe(block.body)
      case PcapngBlock.interfaceStatistics: try count(block.body)
      case PcapngBlock.enhancedPacket: return try packet(block.body)
      default: break
      }
    }
    return nil
  }

  private mutating func nextBlock() throws(PcapngError) -> (type: UInt32, body: ArraySlice<UInt8>)? {
    guard octets.count - place >= PcapngBlock.framing else { return nil }
    let type = number(UInt32.self, at: place)
    guard isInSection || type == PcapngBlock.sectionHeader else { throw .notPcapng }
    if type == PcapngBlock.sectionHeader, number(UInt32.self, at: place + 8) != PcapngBlock.byteOrderMagic {
      throw number(UInt32.self, at: place + 8).byteSwapped == PcapngBlock.byteOrderMagic ? .otherByteOrder : .notPcapng
    }
    isInSection = true
    let length = number(UInt32.self, at: place + 4)
    guard length >= PcapngBlock.framing, length <= Self.mostBlockBytes, length % 4 == 0 else {
      throw .badLength(length)
    }
    guard octets.count - place >= Int(length) else { return nil }
    let end = place + Int(length)
    guard number(UInt32.self, at: end - 4) == length else { throw .badLength(length) }
    defer { place = end }
    return (type, octets[place + 8..<end - 4])
  }

  private mutating func describe(_ body: ArraySlice<UInt8>) throws(PcapngError) {
    guard body.count >= 8, interfaces.count < Self.mostInterfaces else {
      throw .badBlock(type: PcapngBlock.interfaceDescription)
    }
    var interface = Interface(name: "\(interfaces.count)")
    try forEachOption(body.dropFirst(8), of: PcapngBlock.interfaceDescription) { code, value in
      if code == PcapngOption.name { interface.name = Self.text(value) }
      // A power of ten, and no finer than nanoseconds; others are taken for what is usual.
      if code == PcapngOption.timeResolution, let exponent = value.first, exponent <= 9 {
        interface.unit = (exponent..<9).reduce(UInt64(1)) { unit, _ in unit * 10 }
      }
    }
    interfaces.append(interface)
  }

  private mutating func count(_ body: ArraySlice<UInt8>) throws(PcapngError) {
    guard body.count >= 12 else { throw .badBlock(type: PcapngBlock.interfaceStatistics) }
    var dropped: UInt64 = 0
    try forEachOption(body.dropFirst(12), of: PcapngBlock.interfaceStatistics) { code, value in
      if code == PcapngOption.dropped, value.count == 8 { dropped = Self.number(value) }
    }
    hasStatistics = true
    missed &+= dropped
  }

  private func packet(_ body: ArraySlice<UInt8>) throws(PcapngError) -> CapturedPacket {
    let type = PcapngBlock.enhancedPacket
    guard body.count >= PcapngBlock.packetFields else { throw .badBlock(type: type) }
    let start = body.startIndex
    let interface = number(UInt32.self, at: start)
    guard Int(interface) < interfaces.count else { throw .noSuchInterface(interface) }
    let time = UInt64(number(UInt32.self, at: start + 4)) << 32 | UInt64(number(UInt32.self, at: start + 8))
    let captured = Int(number(UInt32.self, at: start + 12))
    let bytes = body.dropFirst(PcapngBlock.packetFields)
    guard PcapngBlock.padded(captured) <= bytes.count else { throw .badBlock(type: type) }
    var direction: CapturePoint.Direction?
    var comments: [String] = []
    var missedBefore: UInt64 = 0
    try forEachOption(bytes.dropFirst(PcapngBlock.padded(captured)), of: type) { code, value in
      switch code {
      case PcapngOption.comment: comments.append(Self.text(value))
      case PcapngOption.flags where value.count == 4:
        direction = CapturePoint.Direction(rawValue: UInt32(truncatingIfNeeded: Self.number(value)) & 3)
      case PcapngOption.dropCount where value.count == 8: missedBefore = Self.number(value)
      default: break
      }
    }
    let known = interfaces[Int(interface)]
    return CapturedPacket(
      interfaceName: known.name, direction: direction, time: time &* known.unit,
      length: Int(number(UInt32.self, at: start + 16)), bytes: Array(bytes.prefix(captured)),
      comment: comments.joined(separator: "; "), missedBefore: missedBefore)
  }

  private func forEachOption(
    _ options: ArraySlice<UInt8>, of type: UInt32, _ body: (UInt16, ArraySlice<UInt8>) -> Void
  ) throws(PcapngError) {
    var rest = options
    while !rest.isEmpty {
      guard rest.count >= 4 else { throw .badBlock(type: type) }
      let code = number(UInt16.self, at: rest.startIndex)
      let length = Int(number(UInt16.self, at: rest.startIndex + 2))
      guard code != PcapngOption.end else { return }
      rest = rest.dropFirst(4)
      guard PcapngBlock.padded(length) <= rest.count else { throw .badBlock(type: type) }
      body(code, rest.prefix(length))
      rest = rest.dropFirst(PcapngBlock.padded(length))
    }
  }

  /// Of this array; its caller has seen that it is there.
  private func number<Number: FixedWidthInteger>(_: Number.Type, at place: Int) -> Number {
    Number(truncatingIfNeeded: Self.number(octets[place..<place + Number.bitWidth / 8]))
  }

  /// Little-endian, of eight octets at the most.
  private static func number(_ octets: ArraySlice<UInt8>) -> UInt64 {
    octets.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Printable; others as `?`.
  private static func text(_ octets: ArraySlice<UInt8>) -> String {
    String(
      String.UnicodeScalarView(
        String(decoding: octets.prefix { $0 != 0 }, as: UTF8.self).unicodeScalars.map {
          $0.value < 0x20 || $0.value == 0x7f || (0x80..<0xa0).contains($0.value) ? "?" : $0
        }))
  }
}
