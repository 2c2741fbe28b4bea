// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Wire

/// Input: how many octets of the frame are given to the parser (2), how much longer the frame says it is (2), a seed (1),
/// where to cut a sum (2); the frame.
///
/// Holds: what was found lies in what was given; the parser agrees with `LayoutModel`; what lies behind the frame changes
/// nothing; the flow hash is the same both ways; checksums are those of the plain algorithm, in one piece or two, and
/// after an update.
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
