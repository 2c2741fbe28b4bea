// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Wire

/// What a TCP segment must be, read step by step over an array: `TCPSegment`, `TCPOptions` and `TransportChecksum` must agree.
struct SegmentReading {
  let layout: FrameLayout
  let frameLength: Int
  let bytes: [UInt8]

  init(_ head: ByteRegion, _ layout: FrameLayout, frameLength: Int) {
    self.layout = layout
    self.frameLength = frameLength
    bytes = head.bytes
  }

  func number(_ offset: Int, _ octets: Int) -> Int {
    bytes[offset..<offset + octets].reduce(0) { $0 << 8 | Int($1) }
  }

  /// Bytes of payload; nil: no segment.
  func payloadCount(isLarge: Bool) -> Int? {
    guard layout.payloadOffset > 0, layout.transportProtocol == 6 else { return nil }
    let network = layout.networkOffset
    let field = number(network + (layout.ipVersion == 4 ? 2 : 4), 2)
    var end = network + field + (layout.ipVersion == 4 ? 0 : 40)
    if field == 0, isLarge { end = frameLength }
    guard end >= layout.payloadOffset, end <= frameLength else { return nil }
    return end - layout.payloadOffset
  }

  func check(_ segment: TCPSegment, in head: ByteRegion) throws(Finding) {
    let header = layout.transportOffset
    let control = number(header + 12, 2)
    try Finding.require(
      segment.headerOffset == header && segment.payloadOffset == layout.payloadOffset
        && Int(segment.sourcePort) == number(header, 2) && Int(segment.destinationPort) == number(header + 2, 2)
        && Int(segment.sequenceNumber.rawValue) == number(header + 4, 4)
        && Int(segment.acknowledgmentNumber.rawValue) == number(header + 8, 4)
        && Int(segment.flags.rawValue) == control & 0x1ff && Int(segment.reservedBits) == control >> 9 & 7
        && Int(segment.window) == number(header + 14, 2) && Int(segment.urgentPointer) == number(header + 18, 2),
      "\(segment) is not what its header says")
    let model = OptionsModel(Array(bytes[header + 20..<layout.payloadOffset]))
    try Finding.require(
      model.matches(segment.options, in: head, from: header + 20), "\(segment.options) is not \(model)")
    try checkNetwork(segment)
  }

  private func checkNetwork(_ segment: TCPSegment) throws(Finding) {
    let network = layout.networkOffset
    if layout.ipVersion == 4 {
      try Finding.require(
        segment.trafficClass == bytes[network + 1] && segment.hopLimit == bytes[network + 8]
          && Int(segment.identification) == number(network + 4, 2) && segment.flowLabel == 0
          && segment.doesNotFragment == (bytes[network + 6] & 0x40 != 0)
          && segment.hasIPv4Options == (bytes[network] & 15 != 5),
        "\(segment) is not what its IPv4 header says")
    } else {
      let first = number(network, 4)
      try Finding.require(
        Int(segment.trafficClass) == first >> 20 & 0xff && Int(segment.flowLabel) == first & 0xfffff
          && segment.hopLimit == bytes[network + 7],
        "\(segment) is not what its IPv6 header says")
    }
  }

  /// The sum over pseudo-header and segment, which is 0xffff if the checksum is right; nil if not all of it is here, or
  /// the final destination is not known.
  func sum(payloadCount: Int) -> UInt16? {
    let end = layout.payloadOffset + payloadCount
    guard end <= bytes.count, layout.finalDestinationOffset != 0 else { return nil }
    let isIPv4 = layout.ipVersion == 4
    let source = layout.networkOffset + (isIPv4 ? 12 : 8)
    let length = end - layout.transportOffset
    let pseudo =
      Array(bytes[source..<source + (isIPv4 ? 4 : 16)])
      + Array(bytes[layout.finalDestinationOffset..<layout.finalDestinationOffset + (isIPv4 ? 4 : 16)])
      + (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) } + [0, 0, 0, 6]
    return NaiveChecksum.sum(pseudo + bytes[layout.transportOffset..<end])
  }
}
