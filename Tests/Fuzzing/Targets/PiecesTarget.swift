// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import LargeSend
import Memory
import Packets
import Wire

/// Input: how often the frame's last 64 octets are repeated (2), two sets of limits (IPv4 4, IPv6 4, segments 2), how much of the frame is in the
/// private copy (1), how long the vectors of the rest are (2), room for a piece's vectors (1), behind which pieces all is begun anew with the other
/// limits (8, one bit each), a virtio-net header (10), the frame.
///
/// Holds: a jumbogram's header is taken out and nothing else. What can be split is, and gives the frame's payload once, in order, in pieces
/// that ask for what is sound and within the limits that they were made by; what each asks for gives, octet for octet, the segments that
/// the frame gives when it is cut at once. Without room for a piece nothing changes.
enum PiecesTarget {
  /// More segments show nothing new.
  private static let mostSegments = 4096
  private static let longestFrame = 530_000

  static func run(_ input: consuming InputReader) throws(Finding) {
    let repeats = Int(input.u16())
    let limits = [limits(&input), limits(&input)]
    let headCount = Int(input.byte())
    let vectorLength = Int(input.u16())
    let room = Int(input.byte())
    let restarts = input.u64()
    let header = VirtioNetHeader(decoding: padded(input.bytes(VirtioNetHeader.length)))
    let frame = repeated(input.rest(), repeats)
    defer { frame.deallocate() }
    guard let large = try LargeFrame(frame, header, headCount: headCount, vectorLength: vectorLength) else { return }
    defer { large.deallocate() }
    guard large.request.isSegmentation else { return }
    try checkPositions(large, limits[0])
    guard let splitter = large.split(limits[0], from: 0) else {
      return try Finding.require(large.mustBeRefused, "it can be split, and was not: \(large.request)")
    }
    try Finding.require(!large.mustBeRefused, "it can't be split, and was: \(large.request)")
    guard large.payloadCount / Int(large.request.segmentSize) < mostSegments else { return }
    let stages = PieceStages(large)
    defer { stages.deallocate() }
    try stages.run(splitter, limits, restarts: restarts, room: room)
  }

  private static func limits(_ input: inout InputReader) -> EgressLimits {
    // Beyond what any frame has it is all the same.
    func bytes(_ input: inout InputReader) -> Int { Int(Int32(bitPattern: input.u32())) % (2 * longestFrame) }
    return EgressLimits(ipv4Bytes: bytes(&input), ipv6Bytes: bytes(&input), segments: Int(input.u16()))
  }

  private static let headerCopy = ByteRegion.allocate(count: VirtioNetHeader.length)

  private static func padded(_ octets: ByteRegion) -> ByteRegion {
    headerCopy.fill(with: 0)
    headerCopy.copy(from: octets)
    return headerCopy
  }

  private static func repeated(_ octets: ByteRegion, _ repeats: Int) -> ByteRegion {
    let tail = octets.suffix(from: max(octets.count - 64, 0))
    let count = tail.count == 0 ? 0 : min(repeats, (longestFrame - octets.count) / tail.count)
    let frame = ByteRegion.allocate(count: octets.count + count * tail.count)
    frame.copy(from: octets)
    for index in 0..<count { frame.copy(from: tail, at: octets.count + index * tail.count) }
    return frame
  }

  /// It goes on where a segment begins, and at the end, and nowhere else.
  private static func checkPositions(_ large: LargeFrame, _ limits: EgressLimits) throws(Finding) {
    let size = Int(large.request.segmentSize)
    for position in [-size, -1, 1, size - 1, size, size + 1, large.payloadCount, large.payloadCount + size] {
      let isPlace = position >= 0 && position <= large.payloadCount && position % size == 0
      let splitter = large.split(limits, from: position)
      try Finding.require(
        (splitter != nil) == (isPlace && !large.mustBeRefused), "it goes on at \(position) of \(large)")
      guard let splitter else { continue }
      try Finding.require(splitter.position == position, "it goes on at \(splitter.position), not \(position)")
      try Finding.require(splitter.isDone == (position == large.payloadCount), "done at \(position)")
    }
  }
}
