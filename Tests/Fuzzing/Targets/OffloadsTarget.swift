// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import LargeSend
import Memory
import Wire

/// Input: how often the frame's last 64 octets are repeated (1), a virtio-net header (10), the frame.
///
/// Holds: a request that is let through names a field of the frame. A completed checksum is right and is all that has
/// changed. Segments are what `SegmentModel` makes, octet for octet; together they hold the payload, once, in order;
/// none is longer than an IP packet or than what was asked for.
enum OffloadsTarget {
  private static let scratch = ByteRegion.allocate(count: SoftwareSegmentation.maximumHeaderLength)
  /// Octets that all segments of one input may have together: the model is slow.
  private static let most = 1 << 14

  static func run(_ input: consuming InputReader) throws(Finding) {
    let repeats = Int(input.byte())
    let header = VirtioNetHeader(decoding: padded(input.bytes(VirtioNetHeader.length)))
    let octets = input.rest()
    let tail = octets.suffix(from: max(octets.count - 64, 0))
    let frame = ByteRegion.allocate(count: octets.count + repeats * tail.count)
    defer { frame.deallocate() }
    frame.copy(from: octets)
    for index in 0..<repeats { frame.copy(from: tail, at: octets.count + index * tail.count) }
    let head = ByteRegion.allocate(count: min(frame.count, FrameLayout.recommendedHeaderBytes))
    defer { head.deallocate() }
    head.copy(from: frame.slice(from: 0, count: head.count))
    guard let layout = FrameLayout(parsing: head, frameLength: frame.count),
      case .valid(let request) = OffloadCheck(header: header, layout: layout, frameLength: frame.count)
    else { return }
    try check(request, header, frame)
    if request.isSegmentation {
      try checkSegments(frame, request)
    } else {
      try checkCompletion(frame, request)
    }
  }

  private static let headerCopy = ByteRegion.allocate(count: VirtioNetHeader.length)

  private static func padded(_ octets: ByteRegion) -> ByteRegion {
    headerCopy.fill(with: 0)
    headerCopy.copy(from: octets)
    return headerCopy
  }

  private static func check(_ request: OffloadRequest, _ header: VirtioNetHeader, _ frame: ByteRegion) throws(Finding) {
    try Finding.require(
      (request.kind == .none) == (!header.needsChecksum && !header.needsSegmentation), "\(header) became \(request)")
    guard request.kind != .none else { return }
    let field = Int(request.checksumStart) + Int(request.checksumOffset)
    try Finding.require(
      request.checksumStart >= 14 && field + 2 <= frame.count, "the checksum field \(field) is outside of the frame")
    try Finding.require(header.needsChecksum, "a request without a checksum was let through")
    guard request.isSegmentation else { return }
    try Finding.require(request.segmentSize > 0, "segments of no size")
    let layout = request.layout
    try Finding.require(
      layout.hasTransportHeader && !layout.isFragment && layout.payloadOffset <= frame.count
        && Int(request.checksumStart) == layout.transportOffset, "segmentation of what has no headers")
  }

  private static func checkCompletion(_ frame: ByteRegion, _ request: OffloadRequest) throws(Finding) {
    var expected = frame.bytes
    if request.kind == .checksum {
      let start = Int(request.checksumStart)
      var sum = NaiveChecksum.checksum(Array(expected[start...]))
      if request.checksumOffset == 6, sum == 0 { sum = 0xffff }
      let field = start + Int(request.checksumOffset)
      expected[field] = UInt8(sum >> 8)
      expected[field + 1] = UInt8(sum & 0xff)
    }
    try Finding.require(ChecksumCompletion.complete(frame, request), "a checksum was not completed")
    try Finding.require(frame.bytes == expected, "a completed frame is not what was expected")
  }

  private static func checkSegments(_ frame: ByteRegion, _ request: OffloadRequest) throws(Finding) {
    let model = SegmentModel(frame.bytes, request)
    guard var segmentation = SoftwareSegmentation(frame: frame, request: request) else {
      return try Finding.require(model.isRefused, "a segmentation was refused without a reason")
    }
    try Finding.require(!model.isRefused, "a segmentation was not refused: \(request)")
    try Finding.require(
      segmentation.segmentCount == model.count && model.count <= SoftwareSegmentation.maximumSegmentCount,
      "\(segmentation.segmentCount) segments instead of \(model.count)")
    var next = request.layout.payloadOffset
    var index = 0
    var written = 0
    while let segment = segmentation.next(headerInto: scratch) {
      try Finding.require(
        segment.payloadOffset == next && segment.payloadCount <= Int(request.segmentSize),
        "the payload of segment \(index) is at \(segment.payloadOffset), not \(next)")
      next += segment.payloadCount
      written += segment.headerLength + segment.payloadCount
      if written < most {
        let header = scratch.slice(from: 0, count: segment.headerLength).bytes
        let expected = model.header(index, payload: segment.payloadCount)
        try Finding.require(header == expected, "segment \(index): \(header) instead of \(expected)")
      }
      index += 1
    }
    try Finding.require(next == frame.count && index == model.count, "the payload ends at \(next) of \(frame.count)")
  }
}
