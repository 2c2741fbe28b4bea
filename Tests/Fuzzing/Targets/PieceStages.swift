// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import LargeSend
import Memory
import Packets
import Wire

/// Both stages of large send offload behind each other, against the segments of the whole frame (`PiecesTarget`).
struct PieceStages {
  private let large: LargeFrame
  private let slot = ByteRegion.allocate(count: LargeSendSplitter.slotLength)
  private let header = ByteRegion.allocate(count: SoftwareSegmentation.maximumHeaderLength)
  private let expected = ByteRegion.allocate(count: SoftwareSegmentation.maximumHeaderLength)
  private let vectors: RecordBuffer<IOVector>

  init(_ large: LargeFrame) {
    self.large = large
    // The headers, what is left of the head, and the rest.
    vectors = RecordBuffer(capacity: large.vectorCount + 4, repeating: .none)
  }

  func deallocate() {
    slot.deallocate()
    header.deallocate()
    expected.deallocate()
    vectors.deallocate()
  }

  func run(_ first: LargeSendSplitter, _ limits: [EgressLimits], restarts: UInt64, room: Int) throws(Finding) {
    var splitter = first
    var which = 0
    var count = 0
    guard var whole = SoftwareSegmentation(frame: large.whole, request: large.request) else {
      throw Finding("the frame can't be cut at once: \(large.request)")
    }
    while !splitter.isDone {
      let start = splitter.position
      var made = splitter.next(into: slot, vectors: vectors, at: vectors.capacity - min(room, vectors.capacity))
      if made == nil {
        try Finding.require(splitter.position == start && !splitter.isDone, "no room, and it stands elsewhere")
        made = splitter.next(into: slot, vectors: vectors, at: 0)
      }
      guard let piece = made else { throw Finding("no piece at \(start) of \(large)") }
      try check(piece, start: start, end: splitter.position, limits[which], &whole)
      if !splitter.isDone, restarts >> UInt64(count % 64) & 1 == 1 {
        which = 1 - which
        guard let again = large.split(limits[which], from: splitter.position) else {
          throw Finding("it can't go on at \(splitter.position) of \(large)")
        }
        splitter = again
      }
      count += 1
    }
    try Finding.require(whole.next(headerInto: expected) == nil, "\(count) pieces are not all of \(large)")
    try Finding.require(splitter.next(into: slot, vectors: vectors, at: 0) == nil, "a piece behind the last")
  }
  private func check(
    _ piece: LargeSendSplitter.Piece, start: Int, end: Int, _ limits: EgressLimits, _ whole: inout SoftwareSegmentation
  ) throws(Finding) {
    let size = Int(large.request.segmentSize)
    try Finding.require(
      Int(piece.frame.index) == start && end > start && (end % size == 0 || end == large.payloadCount),
      "a piece from \(start) to \(end) of \(large)")
    let bytes = ByteRegion.allocate(count: Int(piece.frame.byteCount))
    defer { bytes.deallocate() }
    var cursor = VectorCursor(vectors, first: Int(piece.frame.firstVector), end: piece.vectorsEnd)
    try Finding.require(
      cursor.read(into: bytes) == bytes.count && cursor.next(1) == nil, "the piece at \(start) is not \(piece.frame)")
    let asked = VirtioNetHeader(decoding: bytes)
    let frame = bytes.suffix(from: VirtioNetHeader.length)
    try Finding.require(
      frame.count == large.layout.payloadOffset + end - start, "\(frame.count) bytes from \(start) to \(end)")
    guard let layout = FrameLayout(parsing: frame, frameLength: frame.count),
      case .valid(let request) = OffloadCheck(header: asked, layout: layout, frameLength: frame.count)
    else { throw Finding("the piece at \(start) asks for what can't be: \(asked)") }
    try Finding.require(piece.isLarge == (end - start > size), "large: \(piece.isLarge), \(end - start) by \(size)")
    guard piece.isLarge else {
      try Finding.require(request.kind == .checksum, "one segment asks for more: \(asked)")
      try Finding.require(ChecksumCompletion.complete(frame, request), "no checksum for the piece at \(start)")
      return try compare(frame, frame.suffix(from: layout.payloadOffset), with: &whole)
    }
    try Finding.require(
      request.kind == large.request.kind && limits.admit(request), "\(limits) do not admit \(request)")
    guard var segments = SoftwareSegmentation(frame: frame, request: request) else {
      throw Finding("the piece at \(start) can't be cut: \(request)")
    }
    while let segment = segments.next(headerInto: header) {
      let payload = frame.slice(from: segment.payloadOffset, count: segment.payloadCount)
      try compare(header.slice(from: 0, count: segment.headerLength), payload, with: &whole)
    }
  }

  /// A segment, whose headers `frame` begins with, is the next one of the whole frame.
  private func compare(
    _ frame: ByteRegion, _ payload: ByteRegion, with whole: inout SoftwareSegmentation
  ) throws(Finding) {
    guard let segment = whole.next(headerInto: expected) else { throw Finding("a segment too many of \(large)") }
    let (ours, theirs) = (
      frame.slice(from: 0, count: segment.headerLength), expected.slice(from: 0, count: segment.headerLength)
    )
    try Finding.require(ours.bytes == theirs.bytes, "headers \(ours.bytes) instead of \(theirs.bytes)")
    let same = large.whole.slice(from: segment.payloadOffset, count: segment.payloadCount)
    try Finding.require(payload.bytes == same.bytes, "other payload at \(segment.payloadOffset)")
  }
}
