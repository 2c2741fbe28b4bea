// SPDX-License-Identifier: Apache-2.0

extension FrameSpecification {
  /// A frame of any shape that can be segmented, with a payload of `payloadLength`.
  public static func random(payloadLength: Int, using generator: inout SplitMix64) -> FrameSpecification {
    var frame = FrameSpecification()
    frame.vlanTags = [[], [0x8100], [0x88a8, 0x8100]].randomElement(using: &generator) ?? []
    frame.ipVersion = Bool.random(using: &generator) ? 4 : 6
    frame.ipOptionsLength = Int.random(in: 0...10, using: &generator) * 4
    frame.extensionHeaders = extensionHeaders(using: &generator)
    frame.transport = Bool.random(using: &generator) ? .tcp : .udp
    frame.sourceAddress = generator.bytes(4)
    frame.destinationAddress = generator.bytes(4)
    frame.sourcePort = .random(in: 0...0xffff, using: &generator)
    frame.destinationPort = .random(in: 0...0xffff, using: &generator)
    frame.identification = .random(in: 0...0xffff, using: &generator)
    frame.sequenceNumber &+= .random(in: 0...0x200, using: &generator)
    // Any control bits but SYN and RST.
    frame.control = .random(in: 0...0xff, using: &generator) & ~0x06
    frame.urgentPointer =
      UInt16.random(in: 0...0xffff, using: &generator) >> UInt16.random(in: 0...15, using: &generator)
    frame.tcpOptions = generator.bytes(Int.random(in: 0...10, using: &generator) * 4)
    frame.payload = generator.bytes(payloadLength)
    return frame
  }

  /// Up to three headers whose sum leaves the headers of the frame within 256 bytes.
  private static func extensionHeaders(using generator: inout SplitMix64) -> [ExtensionHeader] {
    let choices: [ExtensionHeader] = [
      .hopByHop(units: 1), .destinationOptions(units: 3), .fragment(offset: 0, more: false),
      .routing(type: 0, segmentsLeft: 1, addresses: 2), .routing(type: 2, segmentsLeft: 1, addresses: 1),
      .routing(type: 4, segmentsLeft: 1, addresses: 2), .routing(type: 4, segmentsLeft: 0, addresses: 2),
    ]
    let count = Int.random(in: 0...3, using: &generator)
    return (0..<count).compactMap { _ in choices.randomElement(using: &generator) }
  }
}
