// SPDX-License-Identifier: Apache-2.0

/// Reads a frame back and judges it: an independent check of what the NIC made of it.
public struct FrameReader: Sendable {
  public let frame: [UInt8]
  public let internetStart: Int
  public let transportStart: Int
  /// Where the IP packet ends: Ethernet padding is beyond.
  public let end: Int
  public let transport: FrameBuilder.Transport
  public let isVersion6: Bool

  public init(_ frame: [UInt8]) throws {
    self.frame = frame
    var offset = 12
    guard frame.count >= 34 else { throw TestFailure("a frame of \(frame.count) octets") }
    if frame[offset] == 0x81 { offset += 4 }
    isVersion6 = frame[offset] == 0x86
    internetStart = offset + 2
    let lengthField = internetStart + (isVersion6 ? 4 : 2)
    guard frame.count >= internetStart + (isVersion6 ? 40 : 20) else { throw TestFailure("a truncated IP header") }
    let length = Int(frame[lengthField]) << 8 | Int(frame[lengthField + 1])
    let headerLength = isVersion6 ? 40 : Int(frame[internetStart] & 15) * 4
    transportStart = internetStart + headerLength
    end = internetStart + length + (isVersion6 ? 40 : 0)
    let number = frame[internetStart + (isVersion6 ? 6 : 9)]
    guard number == 6 || number == 17 else { throw TestFailure("IP protocol \(number)") }
    transport = number == 6 ? .tcp : .udp
    guard end <= frame.count, end >= transportStart + (number == 6 ? 20 : 8) else {
      throw TestFailure("IP length \(length) in a frame of \(frame.count) octets")
    }
  }

  /// Throws unless the IPv4 header's and the transport's checksums are right.
  public func verifyChecksums() throws {
    if !isVersion6 {
      let sum = InternetSum.of(Array(frame[internetStart..<transportStart]))
      guard sum == 0xffff else { throw TestFailure("IPv4 header checksum") }
    }
    let segment = Array(frame[transportStart..<end])
    let length = isVersion6 ? 16 : 4
    let source = internetStart + (isVersion6 ? 8 : 12)
    let pseudo = InternetSum.pseudoHeader(
      Array(frame[source..<source + length]), Array(frame[source + length..<source + 2 * length]), transport.number,
      length: segment.count)
    guard InternetSum.of(segment, adding: pseudo) == 0xffff else { throw TestFailure("\(transport) checksum") }
  }

  /// The length of the IP packet, to be held against the MTU.
  public var packetLength: Int { end - internetStart }

  public var payload: [UInt8] {
    let headerLength = transport == .tcp ? Int(frame[transportStart + 12] >> 4) * 4 : 8
    return Array(frame[min(end, transportStart + headerLength)..<end])
  }

  public var sequence: UInt32 {
    frame[transportStart + 4..<transportStart + 8].reduce(0) { $0 << 8 | UInt32($1) }
  }

  public var acknowledgment: UInt32 {
    frame[transportStart + 8..<transportStart + 12].reduce(0) { $0 << 8 | UInt32($1) }
  }

  public var flags: UInt8 { frame[transportStart + 13] }

  public var identification: UInt16 {
    UInt16(frame[internetStart + 4]) << 8 | UInt16(frame[internetStart + 5])
  }

  /// The payload that `frames`, the parts of one large TCP segment or UDP datagram in order, carry together. Throws if
  /// a checksum is wrong, a packet is longer than `mtu`, or the parts do not follow each other.
  public static func reassemble(_ frames: [[UInt8]], mtu: Int) throws -> [UInt8] {
    var whole: [UInt8] = []
    var next: UInt32?
    for (index, frame) in frames.enumerated() {
      let part = try FrameReader(frame)
      try part.verifyChecksums()
      guard part.packetLength <= mtu else { throw TestFailure("a packet of \(part.packetLength) octets, MTU \(mtu)") }
      let payload = part.payload
      whole += payload
      guard part.transport == .tcp else { continue }
      if let next, part.sequence != next { throw TestFailure("part \(index) starts at \(part.sequence), not \(next)") }
      next = part.sequence &+ UInt32(payload.count)
      // PSH and FIN belong to the last part only, CWR to the first only.
      if index < frames.count - 1, part.flags & 0x09 != 0 { throw TestFailure("PSH or FIN in part \(index)") }
      if index > 0, part.flags & 0x80 != 0 { throw TestFailure("CWR in part \(index)") }
    }
    return whole
  }
}
