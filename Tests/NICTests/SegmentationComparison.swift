// SPDX-License-Identifier: Apache-2.0
import FrameSupport
import TestSupport

/// Sends random packets two ways into one interface and compares what comes out at its other end (`KernelSegmentationTests`).
final class SegmentationComparison {
  private static let features =
    Rig.plainFeatures | Feature.csum | Feature.hostTSO4 | Feature.hostTSO6 | Feature.hostECN | Feature.hostUSO

  private let limits: NICTests.KernelSegmentationTests.Limits
  private let kernel: PacketSocket
  private let far: PacketSocket
  private let rig: Rig
  private var random: SplitMix64
  private var refused = 0
  private var expectedSplits = 0

  init(_ limits: NICTests.KernelSegmentationTests.Limits) throws {
    self.limits = limits
    kernel = try .sender("va")
    far = try .receiver("vb")
    random = SplitMix64(seed: UInt64(limits.bytes * 100_000 + limits.segments))
    rig = try Rig(Rig.Shape(features: Self.features, options: .init(size: 256, indirect: true), interface: "va"))
  }

  func run(packets: Int) throws {
    do {
      try rig.guest.start()
      try rig.settle()
      try warmUp()
      for number in 0..<packets {
        let packet = RandomPacket(using: &random)
        do { try compare(packet) } catch { throw TestFailure("packet \(number): \(error)\n\(describe(packet))") }
      }
      let counted = try rig.counter("splitRefused", of: "queue 1 transmit")
      guard counted == refused else { throw TestFailure("\(counted) refused, not \(refused)") }
      let split = try rig.counter("splitFrames", of: "queue 1 transmit")
      guard split == expectedSplits else { throw TestFailure("\(split) were split, not \(expectedSplits)") }
      if let extra = try far.receive(timeout: 0) { throw TestFailure("\(extra.count) octets too many") }
    } catch {
      throw TestFailure("\(error)\nThe program said: \(rig.nic.errors.text)")
    }
    try rig.nic.end()
  }

  /// A link that was just set up may take a moment to carry anything.
  private func warmUp() throws {
    let deadline = Deadline(after: 5)
    while !deadline.hasPassed {
      try kernel.send(Rig.frame(1), header: NetworkHeader())
      guard try far.receive(timeout: 0.05) != nil else { continue }
      while try far.receive(timeout: 0.05) != nil {}
      return
    }
    throw TestFailure("the link carries nothing")
  }

  private func compare(_ packet: RandomPacket) throws {
    try kernel.send(packet.frame, header: packet.header)
    let whole = try (0..<packet.segmentCount).map { index in
      guard let frame = try far.receive(timeout: 5) else { throw TestFailure("the kernel made \(index) segments only") }
      return frame
    }
    let (frame, header) = packet.jumbo ?? (packet.frame, packet.header)
    try rig.guest.transmit(frame, header: header, split: split())
    try rig.guest.reclaim(1)
    guard !isRefused(packet) else {
      refused += 1
      return
    }
    if packet.segmentCount > pieceSegments(packet) { expectedSplits += 1 }
    for (index, segment) in whole.enumerated() {
      guard let other = try far.receive(timeout: 5) else { throw TestFailure("segment \(index) does not come") }
      let expected = expect(segment, at: index, of: packet)
      guard other != expected else { continue }
      let place = zip(other, expected).enumerated().first { $1.0 != $1.1 }?.offset ?? min(other.count, expected.count)
      let (ours, theirs) = (
        other.prefix(packet.specification.payloadOffset), expected.prefix(packet.specification.payloadOffset)
      )
      throw TestFailure(
        "segment \(index) is other from octet \(place) on: \(other.count) octets, \(ours), not \(expected.count), \(theirs)"
      )
    }
  }

  /// Where the guest's descriptors end: the headers in one, in several, with payload.
  private func split() -> [Int] {
    var result = [[12], [12, 14], [12, 60, 1], [100], [3, 9, 200], []].randomElement(using: &random) ?? []
    for _ in 0..<Int.random(in: 0...20, using: &random) { result.append(.random(in: 1...32_768, using: &random)) }
    return result
  }

  /// Segments of all pieces but the last; all if the packet is not split.
  private func pieceSegments(_ packet: RandomPacket) -> Int {
    let shape = packet.specification
    let isVersion6 = shape.ipVersion == 6
    var most = min(limits.bytes - 1, shape.networkOffset + 65_535 + (isVersion6 ? 40 : 0))
    if !isVersion6, packet.isTCP, limits.bytes > 65_536, hasLargeIPv4 { most = limits.bytes - 1 }
    let isWhole = packet.frame.count <= most && packet.segmentCount <= limits.segments
    guard !isWhole, packet.payloadCount > packet.gsoSize else { return packet.segmentCount }
    return max(1, min((most - shape.payloadOffset) / packet.gsoSize, limits.segments))
  }

  /// Linux 6.3: the interface was told, or the program would say otherwise.
  private lazy var hasLargeIPv4 = rig.nic.errors.text.contains("\(limits.bytes - 1) bytes (IPv4)")

  private func isRefused(_ packet: RandomPacket) -> Bool {
    packet.flags & 0x06 != 0 && packet.segmentCount > pieceSegments(packet)
  }

  /// A segment of the kernel's with the urgent pointer as it is in a piece: the one thing that is other.
  private func expect(_ segment: [UInt8], at index: Int, of packet: RandomPacket) -> [UInt8] {
    let before = index / pieceSegments(packet) * pieceSegments(packet) * packet.gsoSize
    guard packet.flags & 0x20 != 0, before > 0 else { return segment }
    let header = packet.specification.transportOffset
    var result = segment
    func put(_ value: UInt16, at offset: Int) {
      // RFC 1624, equation 3.
      func word(_ offset: Int) -> UInt32 { UInt32(result[offset]) << 8 | UInt32(result[offset + 1]) }
      var sum = (~word(header + 16) & 0xffff) + (~word(offset) & 0xffff) + UInt32(value)
      while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
      for (offset, value) in [(offset, value), (header + 16, ~UInt16(sum))] {
        result.replaceSubrange(offset..<offset + 2, with: [UInt8(value >> 8), UInt8(value & 0xff)])
      }
    }
    let remaining = Int(packet.specification.urgentPointer) - before
    put(UInt16(max(remaining, 0)), at: header + 18)
    if remaining <= 0 { put(UInt16(segment[header + 12]) << 8 | UInt16(segment[header + 13] & ~0x20), at: header + 12) }
    return result
  }

  private func describe(_ packet: RandomPacket) -> String {
    var shape = packet.specification
    shape.payload = []
    return "\(packet.payloadCount) octets in segments of \(packet.gsoSize): \(shape)"
  }
}
