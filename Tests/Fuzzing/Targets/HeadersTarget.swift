// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Wire

/// Input: how many octets of the frame are given to the parser (2), how much longer the frame says it is (2), a seed (1),
/// where to cut a sum (2); the frame.
///
/// Holds: what was found lies in what was given; the parser agrees with `LayoutModel`; what lies behind the frame changes
/// nothing; the flow hash is the same both ways; checksums are those of the plain algorithm, in one piece or two, and
/// after an update; of TCP, what `SegmentChecks` says.
enum HeadersTarget {
  static func run(_ input: consuming InputReader) throws(Finding) {
    let given = Int(input.u16())
    let longer = Int(input.u16())
    let hash = FlowHash(seed: UInt64(input.byte()))
    let cut = Int(input.u16())
    let octets = input.rest()
    // Memory of its own, exactly as long: a read behind it is seen.
    let frame = ByteRegion.allocate(count: given == 0 ? octets.count : min(given, octets.count))
    defer { frame.deallocate() }
    frame.copy(from: octets.slice(from: 0, count: frame.count))
    try checkLayout(frame, frameLength: frame.count + longer, hash)
    try checkLayout(frame, frameLength: min(longer, frame.count), hash)
    try checkSegments(frame, longer, seed: UInt64(cut))
    try checkSums(frame, cut)
    try checkFields(frame)
  }

  private static func checkLayout(_ head: ByteRegion, frameLength: Int, _ hash: FlowHash) throws(Finding) {
    let available = min(head.count, frameLength)
    guard let layout = FrameLayout(parsing: head, frameLength: frameLength) else {
      return try Finding.require(available < FrameLayout.ethernetHeaderLength, "no layout of \(available) octets")
    }
    let model = LayoutModel(head.slice(from: 0, count: min(available, Int(UInt16.max))).bytes)
    try Finding.require(model.matches(layout), "\(layout) is not \(model)")
    for offset in [
      layout.networkOffset, layout.transportOffset, layout.payloadOffset, layout.finalDestinationOffset,
    ] {
      try Finding.require(offset <= available, "\(offset) lies behind \(available) octets")
    }
    let shorter = FrameLayout(parsing: head.slice(from: 0, count: available), frameLength: available)
    try Finding.require(shorter == layout, "what lies behind the frame was looked at")
    try checkHash(layout, head.slice(from: 0, count: available), hash)
  }

  /// TCP in the frame as it is, with more behind it, and with its checksum made right.
  private static func checkSegments(_ frame: ByteRegion, _ longer: Int, seed: UInt64) throws(Finding) {
    for frameLength in [frame.count, frame.count + longer] {
      guard let layout = FrameLayout(parsing: frame, frameLength: frameLength) else { return }
      var checks = SegmentChecks(frame, layout, frameLength: frameLength, seed: seed)
      try checks.run()
    }
    guard let layout = FrameLayout(parsing: frame, frameLength: frame.count) else { return }
    let reading = SegmentReading(frame, layout, frameLength: frame.count)
    guard let count = reading.payloadCount(isLarge: false), let sum = reading.sum(payloadCount: count) else { return }
    let right = ByteRegion.allocate(count: frame.count)
    defer { right.deallocate() }
    right.copy(from: frame)
    let field = layout.transportOffset + TCPField.checksum
    let old: UInt16 = frame.networkOrder(at: field)
    // One's complement: what the field adds to the sum, and what is missing to all ones.
    let total = UInt32(old) + UInt32(~sum)
    right.storeNetworkOrder(UInt16(truncatingIfNeeded: total > 0xffff ? total - 0xffff : total), at: field)
    let after = SegmentReading(right, layout, frameLength: frame.count).sum(payloadCount: count)
    try Finding.require(after == 0xffff, "a checksum was not made right")
    var checks = SegmentChecks(right, layout, frameLength: frame.count, seed: seed)
    try checks.run()
  }

  /// The same frame on its way back.
  private static func checkHash(_ layout: FrameLayout, _ head: ByteRegion, _ hash: FlowHash) throws(Finding) {
    let back = ByteRegion.allocate(count: head.count)
    defer { back.deallocate() }
    back.copy(from: head)
    let network = layout.networkOffset
    switch layout.ipVersion {
    case 4: exchange(back, network + 12, network + 16, 4)
    case 6: exchange(back, network + 8, network + 24, 16)
    default: exchange(back, 0, 6, 6)
    }
    if layout.hasTransportHeader { exchange(back, layout.transportOffset, layout.transportOffset + 2, 2) }
    try Finding.require(hash(layout, head) == hash(layout, back), "a flow's two directions hash apart")
  }

  private static func exchange(_ bytes: ByteRegion, _ one: Int, _ other: Int, _ count: Int) {
    for index in 0..<count {
      let kept: UInt8 = bytes.load(at: one + index)
      bytes.store(bytes.load(UInt8.self, at: other + index), at: one + index)
      bytes.store(kept, at: other + index)
    }
  }

  private static func checkSums(_ frame: ByteRegion, _ cut: Int) throws(Finding) {
    let expected = NaiveChecksum.sum(frame.bytes)
    var whole = InternetChecksum()
    whole.add(frame)
    try Finding.require(whole.sum == expected, "the sum is \(whole.sum), not \(expected)")
    var pieces = InternetChecksum()
    let place = min(cut, frame.count)
    pieces.add(frame.slice(from: 0, count: place))
    pieces.add(frame.suffix(from: place))
    try Finding.require(pieces.sum == expected, "the sum in two pieces is \(pieces.sum), not \(expected)")
    guard frame.count >= 8 else { return }
    let even = place / 2 * 2 % (frame.count - 5)
    guard even % 2 == 0 else { return }
    let old: UInt32 = frame.networkOrder(at: even)
    frame.storeNetworkOrder(~old, at: even)
    let after = ~NaiveChecksum.sum(frame.bytes)
    let updated = InternetChecksum.update(~expected, replacing: old, with: ~old)
    frame.storeNetworkOrder(old, at: even)
    // Zero has two forms in one's complement.
    try Finding.require(
      updated == after || updated == ~after && (after == 0 || after == 0xffff),
      "an updated checksum is \(updated), not \(after)")
  }

  private static func checkFields(_ frame: ByteRegion) throws(Finding) {
    guard frame.count >= VirtioNetHeader.length else { return }
    let copy = ByteRegion.allocate(count: VirtioNetHeader.length)
    defer { copy.deallocate() }
    VirtioNetHeader(decoding: frame).encode(into: copy)
    try Finding.require(
      copy.bytes == frame.slice(from: 0, count: VirtioNetHeader.length).bytes, "a virtio header changes on its way")
    let address = MACAddress(decoding: frame)
    guard let parsed = try? MACAddress(parsing: address.description), parsed == address else {
      throw Finding("a MAC address is not what it is written as")
    }
    let text = String(decoding: frame.slice(from: 0, count: min(frame.count, 17)).bytes, as: UTF8.self)
    guard let parsed = try? MACAddress(parsing: text) else { return }
    try Finding.require(parsed.description == text.lowercased(), "'\(text)' was taken for \(parsed)")
  }
}
