// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Wire

/// What must hold of any frame's TCP: it reads as `SegmentReading` says; patched, it reads as it was set, with its sum
/// unchanged, and nothing else is; a segment written from it reads as its fields say, and its checksum is right.
struct SegmentChecks {
  private let head: ByteRegion
  private let layout: FrameLayout
  private let frameLength: Int
  private var generator: SplitMix64

  /// - Parameter seed: for the values that headers are given.
  init(_ head: ByteRegion, _ layout: FrameLayout, frameLength: Int, seed: UInt64) {
    self.head = head
    self.layout = layout
    self.frameLength = frameLength
    generator = SplitMix64(seed: seed)
  }

  mutating func run() throws(Finding) {
    let reading = SegmentReading(head, layout, frameLength: frameLength)
    for isLarge in [false, true] {
      let segment = TCPSegment(parsing: head, layout: layout, frameLength: frameLength, isLarge: isLarge)
      let count = reading.payloadCount(isLarge: isLarge)
      try Finding.require(segment?.payloadCount == count, "a payload of \(String(describing: count)) octets")
      guard let segment else { continue }
      try reading.check(segment, in: head)
      try checkSum(segment, reading)
      try patch(segment, isPartial: isLarge, reading)
      try write(segment)
    }
  }

  private func checkSum(_ segment: TCPSegment, _ reading: SegmentReading) throws(Finding) {
    var checksum = TransportChecksum(head, layout, segment)
    checksum.add(head.suffix(from: segment.payloadOffset))
    let isRight = reading.sum(payloadCount: segment.payloadCount) == 0xffff
    try Finding.require(
      checksum.isValid == isRight, "a checksum is \(isRight ? "right" : "wrong") and taken for the other")
  }

  private mutating func patch(_ segment: TCPSegment, isPartial: Bool, _ before: SegmentReading) throws(Finding) {
    let copy = ByteRegion.allocate(count: head.count)
    defer { copy.deallocate() }
    copy.copy(from: head)
    let set = fields()
    let size = UInt16.random(in: 0...UInt16.max, using: &generator)
    let patch = TCPHeaderPatch(copy, segment, checksumIsPartial: isPartial)
    patch.setSequenceNumber(set.sequenceNumber)
    patch.setAcknowledgmentNumber(set.acknowledgmentNumber)
    patch.setWindow(set.window)
    patch.setUrgentPointer(set.urgentPointer)
    patch.changeFlags(inserting: set.flags, removing: .all)
    patch.setTimestampValue(set.timestamps?.value ?? 0)
    patch.setTimestampEcho(set.timestamps?.echo ?? 0)
    patch.lowerMaximumSegmentSize(to: size)
    let written = patch.setSACKBlocks(set.sackBlocks)
    let after = SegmentReading(copy, layout, frameLength: frameLength)
    try checkUnchanged(segment, before, after, isPartial: isPartial)
    guard let again = TCPSegment(parsing: copy, layout: layout, frameLength: frameLength, isLarge: true) else {
      throw Finding("a patched segment is none any more")
    }
    try Finding.require(
      again.sequenceNumber == set.sequenceNumber && again.acknowledgmentNumber == set.acknowledgmentNumber
        && again.window == set.window && again.urgentPointer == set.urgentPointer && again.flags == set.flags
        && again.reservedBits == segment.reservedBits, "\(again) was patched to \(set)")
    // What was hidden behind a second SACK option may be found once the first is gone.
    guard !segment.options.kinds.contains(.malformed) else { return }
    try check(again.options, segment.options, set, size, in: copy, blocks: written)
  }

  private func check(
    _ new: TCPOptions, _ old: TCPOptions, _ set: SegmentFields, _ size: UInt16, in copy: ByteRegion, blocks: Int
  ) throws(Finding) {
    try Finding.require(blocks == min(Int(old.sackBlockCount), set.sackBlocks.count), "\(blocks) blocks written")
    try Finding.require(Int(new.sackBlockCount) == blocks, "\(new.sackBlockCount) blocks, \(blocks) written")
    for index in 0..<blocks {
      try Finding.require(new.sackBlock(index, in: copy) == set.sackBlocks[index], "block \(index) is another")
    }
    try Finding.require(
      new.kinds == (blocks > 0 ? old.kinds : old.kinds.subtracting(.sack)) && new.windowScale == old.windowScale
        && (old.timestamps == nil ? new.timestamps == nil : new.timestamps == set.timestamps)
        && new.maximumSegmentSize == min(old.maximumSegmentSize, size), "\(old) became \(new)")
  }

  /// Nothing but the header's fields and options is another, and the sum of all is the same modulo 2¹⁶-1; of a partial
  /// checksum, its field.
  private func checkUnchanged(
    _ segment: TCPSegment, _ before: SegmentReading, _ after: SegmentReading, isPartial: Bool
  ) throws(Finding) {
    let field = segment.headerOffset + TCPField.checksum
    for offset in before.bytes.indices where before.bytes[offset] != after.bytes[offset] {
      let isField = offset >= segment.headerOffset + 4 && offset < segment.payloadOffset
      try Finding.require(isField, "octet \(offset) changed")
      try Finding.require(!isPartial || offset != field && offset != field + 1, "a partial checksum changed")
    }
    guard !isPartial, let old = before.sum(payloadCount: segment.payloadCount) else { return }
    // The protocol is in it, so that it is not 0.
    let new = after.sum(payloadCount: segment.payloadCount)
    try Finding.require(new == old, "the sum was \(old) and is \(String(describing: new))")
  }

  private mutating func write(_ segment: TCPSegment) throws(Finding) {
    let template = SegmentTemplate(copying: head, layout, segment)
    let source = Endpoint(sourceOf: segment, in: head, layout)
    let destination = Endpoint(destinationOf: segment, in: head, layout)
    var set = fields()
    set.payloadCount = 0
    let room = ByteRegion.allocate(count: SegmentTemplate.maximumHeaderLength)
    defer { room.deallocate() }
    let written = template.write(into: room, from: source, to: destination, set)
    let frame = room.slice(from: 0, count: written.length)
    var sum = InternetChecksum()
    sum.add(frame.suffix(from: written.checksumStart))
    frame.storeNetworkOrder(sum.checksum, at: written.checksumStart + TCPField.checksum)
    guard let layout = FrameLayout(parsing: frame, frameLength: frame.count),
      let again = TCPSegment(parsing: frame, layout: layout, frameLength: frame.count, isLarge: false)
    else { throw Finding("what was written is no segment") }
    try Finding.require(
      again.sequenceNumber == set.sequenceNumber && again.acknowledgmentNumber == set.acknowledgmentNumber
        && again.window == set.window && again.flags == set.flags && again.options.timestamps == set.timestamps
        && again.options.sackBlockCount == min(set.sackBlocks.count, set.timestamps == nil ? 4 : 3)
        && again.payloadCount == 0 && again.hopLimit == segment.hopLimit
        && Endpoint(sourceOf: again, in: frame, layout) == source
        && Endpoint(destinationOf: again, in: frame, layout) == destination, "\(again) was written as \(set)")
    let reading = SegmentReading(frame, layout, frameLength: frame.count)
    try Finding.require(reading.sum(payloadCount: 0) == 0xffff, "a written segment has a wrong checksum")
  }

  private mutating func fields() -> SegmentFields {
    var fields = SegmentFields(
      sequenceNumber: SequenceNumber(rawValue: .random(in: 0...UInt32.max, using: &generator)),
      acknowledgmentNumber: SequenceNumber(rawValue: .random(in: 0...UInt32.max, using: &generator)),
      flags: TCPFlags(rawValue: .random(in: 0...0x1ff, using: &generator)),
      window: .random(in: 0...UInt16.max, using: &generator),
      timestamps: TCPTimestamps(
        value: .random(in: 0...UInt32.max, using: &generator), echo: .random(in: 0...UInt32.max, using: &generator)))
    fields.urgentPointer = .random(in: 0...UInt16.max, using: &generator)
    for _ in 0..<Int.random(in: 0...4, using: &generator) {
      let start = SequenceNumber(rawValue: .random(in: 0...UInt32.max, using: &generator))
      fields.sackBlocks.append(SequenceRange(start: start, count: 1448))
    }
    return fields
  }
}
