// SPDX-License-Identifier: Apache-2.0
import FrameSupport
import TestSupport

/// A TCP or UDP packet of any shape that is to be cut, as a guest hands it over: its checksum partial, a virtio_net_hdr in front.
struct RandomPacket {
  static let longestPayload = 300_000

  let specification: FrameSpecification
  let gsoSize: Int
  private(set) var frame: [UInt8]
  private(set) var header = NetworkHeader()

  var isTCP: Bool { specification.transport == .tcp }
  var flags: UInt8 { isTCP ? specification.control : 0 }
  var payloadCount: Int { specification.payload.count }
  var segmentCount: Int { (payloadCount + gsoSize - 1) / gsoSize }

  init(using random: inout SplitMix64) {
    var specification = Self.shape(&random)
    let headerLength = specification.payloadOffset - specification.networkOffset
    let ordinary = 65_535 - headerLength
    // Beyond 64 KiB TCP only.
    let longest = specification.transport == .tcp ? Self.longestPayload : ordinary
    let most = [3_000, ordinary, ordinary, longest].randomElement(using: &random) ?? 1
    specification.payload = random.bytes(.random(in: 1...most, using: &random))
    let count = specification.payload.count
    let sizes = [8, 100, 536, 1_220, 1_448, 8_948, .random(in: 1...30_000, using: &random)]
    // Each segment is to be received and compared, and the kernel takes 64 datagrams at once anywhere.
    let least = count / (specification.transport == .tcp ? 800 : 64) + 1
    gsoSize = min(max(sizes.randomElement(using: &random) ?? 1, least), ordinary)
    self.specification = specification
    frame = specification.encode()
    if specification.transport == .tcp {
      frame[specification.transportOffset + 12] |= .random(in: 0...15, using: &random)
    }
    completeHeaders()
  }

  private static func shape(_ random: inout SplitMix64) -> FrameSpecification {
    while true {
      var shape = FrameSpecification.random(payloadLength: 0, using: &random)
      // The kernel cuts nothing behind a fragment header.
      guard !shape.extensionHeaders.contains(.fragment(offset: 0, more: false)) else { continue }
      // Once in a while a guest that asks for what no TCP sends.
      if Int.random(in: 0..<16, using: &random) == 0 {
        shape.control |= [0x02, 0x04].randomElement(using: &random) ?? 0
      }
      return shape
    }
  }

  /// The sum of the pseudo-header for a checksum, no length where 16 bits do not hold it, and what is asked for.
  private mutating func completeHeaders() {
    let (network, transport) = (specification.networkOffset, specification.transportOffset)
    let zeros = [UInt8](repeating: 0, count: frame.count - transport)
    store(NaiveChecksum.sum(specification.checksummedBytes(zeros)), at: transport + specification.checksumOffset)
    if frame.count - network > 65_535 {
      store(0, at: network + (specification.ipVersion == 4 ? 2 : 4))
      if specification.ipVersion == 4 {
        store(0, at: network + 10)
        store(NaiveChecksum.checksum(Array(frame[network..<transport])), at: network + 10)
      }
    }
    header.flags = NetworkHeader.needsChecksum
    header.gsoType =
      !isTCP ? NetworkHeader.gsoUDP : specification.ipVersion == 6 ? NetworkHeader.gsoTCP6 : NetworkHeader.gsoTCP4
    if flags & 0x80 != 0 { header.gsoType |= NetworkHeader.gsoECN }
    header.gsoSize = UInt16(gsoSize)
    header.headerLength = UInt16(specification.payloadOffset)
    header.checksumStart = UInt16(transport)
    header.checksumOffset = UInt16(specification.checksumOffset)
  }

  private mutating func store(_ value: UInt16, at offset: Int) {
    frame[offset] = UInt8(value >> 8)
    frame[offset + 1] = UInt8(value & 0xff)
  }

  /// The same with the hop-by-hop header that Linux 5.19 to 6.19 has in IPv6 beyond 64 KiB; nil where it has none.
  var jumbo: (frame: [UInt8], header: NetworkHeader)? {
    let network = specification.networkOffset
    guard specification.ipVersion == 6, specification.extensionHeaders.isEmpty, frame.count - network - 40 > 65_535
    else { return nil }
    var frame = frame
    let octets = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: (frame.count - network - 40 + 8) >> $0) }
    frame.insert(contentsOf: [frame[network + 6], 0, 0xc2, 4] + octets, at: network + 40)
    frame[network + 6] = 0
    var header = header
    header.checksumStart += 8
    header.headerLength += 8
    return (frame, header)
  }
}
