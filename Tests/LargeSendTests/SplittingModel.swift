// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import LargeSend
import Memory
import Packets
import Wire

/// What the first stage must give, written down without patching, and a run of the code in which payload lies in pieces of memory.
enum SplittingModel {
  struct Piece: Equatable {
    var header: VirtioNetHeader
    var bytes: [UInt8]
  }

  /// The largest payload of a piece that the limits allow.
  static func piecePayload(of frame: FrameSpecification, segmentSize: Int, limits: EgressLimits) -> Int {
    var most = 65_535 + frame.networkOffset
    if frame.ipVersion == 6 {
      most = min(most + 40, limits.ipv6Bytes)
    } else if frame.transport == .tcp, limits.ipv4Bytes > 65_549 {
      most = limits.ipv4Bytes
    } else {
      most = min(most, limits.ipv4Bytes)
    }
    // UDP_MAX_SEGMENTS of Linux before 6.8.
    let allowed = frame.transport == .tcp ? limits.segments : min(limits.segments, 64)
    var segments = 1
    while segments < allowed, frame.payloadOffset + (segments + 1) * segmentSize <= most { segments += 1 }
    return segments * segmentSize
  }

  static func pieces(
    of frame: FrameSpecification, _ header: VirtioNetHeader, limits: EgressLimits
  ) -> [Piece] {
    let size = Int(header.gsoSize)
    let most = piecePayload(of: frame, segmentSize: size, limits: limits)
    return stride(from: 0, to: frame.payload.count, by: most).map { start in
      var piece = frame
      piece.payload = Array(frame.payload[start..<min(start + most, frame.payload.count)])
      piece.identification &+= UInt16(truncatingIfNeeded: start / size)
      piece.sequenceNumber &+= UInt32(start)
      if start + most < frame.payload.count { piece.control &= ~0x09 }
      if start > 0 {
        piece.control &= ~0x80
        if frame.control & 0x20 != 0 {
          piece.urgentPointer = UInt16(max(Int(frame.urgentPointer) - start, 0))
          if Int(frame.urgentPointer) <= start { piece.control &= ~0x20 }
        }
      }
      var asked = VirtioNetHeader()
      asked.flags = .needsChecksum
      asked.checksumStart = header.checksumStart
      asked.checksumOffset = header.checksumOffset
      if piece.payload.count > size {
        asked.rawGSOType = start == 0 ? header.rawGSOType : header.rawGSOType & 0x7f
        asked.gsoSize = header.gsoSize
        asked.headerLength = UInt16(frame.payloadOffset)
      }
      return Piece(header: asked, bytes: partial(piece))
    }
  }

  /// The frame with the sum of the pseudo-header for a checksum, and total length 0 where 16 bits do not hold it.
  private static func partial(_ frame: FrameSpecification) -> [UInt8] {
    var bytes = frame.encode()
    let transportLength = bytes.count - frame.transportOffset
    let sum = NaiveChecksum.sum(frame.checksummedBytes([UInt8](repeating: 0, count: transportLength)))
    put(sum, into: &bytes, at: frame.transportOffset + frame.checksumOffset)
    guard frame.ipVersion == 4, bytes.count - frame.networkOffset > 65_535 else { return bytes }
    put(0, into: &bytes, at: frame.networkOffset + 2)
    put(0, into: &bytes, at: frame.networkOffset + 10)
    put(
      NaiveChecksum.checksum(Array(bytes[frame.networkOffset..<frame.transportOffset])), into: &bytes,
      at: frame.networkOffset + 10)
    return bytes
  }

  static func put(_ value: UInt16, into bytes: inout [UInt8], at offset: Int) {
    bytes.replaceSubrange(offset..<offset + 2, with: [UInt8(value >> 8), UInt8(value & 0xff)])
  }

  /// The same frame in the form of Linux 5.19 to 6.19: a hop-by-hop header with the length, before all others.
  static func jumbo(_ bytes: [UInt8], networkOffset: Int) -> [UInt8] {
    var result = bytes
    let payload = UInt32(bytes.count - networkOffset - 40 + 8)
    let option =
      [bytes[networkOffset + 6], 0, 0xc2, 4] + (0..<4).map { UInt8(truncatingIfNeeded: payload >> (24 - 8 * $0)) }
    result.insert(contentsOf: option, at: networkOffset + 40)
    result[networkOffset + 6] = 0
    put(0, into: &result, at: networkOffset + 4)
    return result
  }

  /// The pieces that the code makes of `bytes`, of which `headCount` are in its private copy and the rest is cut into vectors at random;
  /// nil if it refuses. It is begun anew after each piece if `resumes`.
  static func split(
    _ bytes: [UInt8], _ header: VirtioNetHeader, limits: EgressLimits, headCount: Int = 256, from position: Int = 0,
    resumes: Bool = false, using generator: inout SplitMix64
  ) -> [Piece]? {
    ByteRegion.with(bytes) { region in
      let head = ByteRegion.allocate(count: min(headCount, bytes.count))
      defer { head.deallocate() }
      head.copy(from: region.slice(from: 0, count: head.count))
      let list = vectors(of: region.suffix(from: head.count), using: &generator)
      let (vectors, end) = list
      defer { vectors.deallocate() }
      guard let layout = FrameLayout(parsing: head, frameLength: bytes.count),
        case .valid(let request) = OffloadCheck(header: header, layout: layout, frameLength: bytes.count)
      else { return nil }
      func begin(_ position: Int) -> LargeSendSplitter? {
        LargeSendSplitter(
          head: head, rest: VectorCursor(vectors, first: 0, end: end), header: header, request: request, limits: limits,
          from: position)
      }
      guard var splitter = begin(position) else { return nil }
      let slot = ByteRegion.allocate(count: LargeSendSplitter.slotLength)
      let out = RecordBuffer<IOVector>(capacity: end + 8, repeating: .none)
      defer {
        slot.deallocate()
        out.deallocate()
      }
      var pieces: [Piece] = []
      while !splitter.isDone {
        guard let piece = splitter.next(into: slot, vectors: out, at: 3) else { return nil }
        var cursor = VectorCursor(out, first: Int(piece.frame.firstVector), end: piece.vectorsEnd)
        let whole = ByteRegion.allocate(count: Int(piece.frame.byteCount))
        defer { whole.deallocate() }
        guard cursor.read(into: whole) == whole.count, cursor.next(1) == nil else { return nil }
        let made = VirtioNetHeader(decoding: whole)
        guard piece.isLarge == made.needsSegmentation else { return nil }
        pieces.append(Piece(header: made, bytes: whole.suffix(from: VirtioNetHeader.length).bytes))
        if resumes, let again = begin(splitter.position) { splitter = again }
      }
      return pieces
    }
  }

  private static func vectors(
    of region: ByteRegion, using generator: inout SplitMix64
  ) -> (RecordBuffer<IOVector>, Int) {
    var cuts: [IOVector] = []
    var offset = 0
    while offset < region.count {
      let count = min(Int.random(in: 1...max(1, region.count / 7), using: &generator), region.count - offset)
      cuts.append(IOVector(region.slice(from: offset, count: count)))
      offset += count
    }
    let buffer = RecordBuffer<IOVector>(capacity: max(cuts.count, 1), repeating: .none)
    for (index, cut) in cuts.enumerated() { buffer[index] = cut }
    return (buffer, cuts.count)
  }

  /// What the second stage makes of the pieces.
  static func segments(of pieces: [Piece]) -> [[UInt8]]? {
    var result: [[UInt8]] = []
    for piece in pieces {
      if piece.header.needsSegmentation {
        guard let segments = SegmentationModel.split(piece.bytes, piece.header) else { return nil }
        result += segments
      } else {
        let whole: [UInt8]? = ByteRegion.with(piece.bytes) { region in
          guard let layout = FrameLayout(parsing: region, frameLength: region.count),
            case .valid(let request) = OffloadCheck(header: piece.header, layout: layout, frameLength: region.count),
            ChecksumCompletion.complete(region, request)
          else { return nil }
          return region.bytes
        }
        guard let whole else { return nil }
        result.append(whole)
      }
    }
    return result
  }
}
