// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import LargeSend
import Memory
import Wire

/// What segmentation must give, written down without patching: each segment is a frame specification of its own.
enum SegmentationModel {
  static func segments(of frame: FrameSpecification, segmentSize: Int) -> [[UInt8]] {
    let starts = frame.payload.isEmpty ? [0] : Array(stride(from: 0, to: frame.payload.count, by: segmentSize))
    return starts.enumerated().map { index, start in
      var segment = frame
      segment.payload = Array(frame.payload[start..<min(start + segmentSize, frame.payload.count)])
      segment.identification &+= UInt16(truncatingIfNeeded: index)
      segment.sequenceNumber &+= UInt32(start)
      if index < starts.count - 1 { segment.control &= ~0x09 }
      guard index > 0 else { return segment.encode() }
      segment.control &= ~0x80
      guard frame.control & 0x20 != 0 else { return segment.encode() }
      let urgentOctet = Int(frame.urgentPointer)
      segment.urgentPointer = UInt16(max(urgentOctet - start, 0))
      if urgentOctet <= start { segment.control &= ~0x20 }
      return segment.encode()
    }
  }

  /// The virtio header that asks for the segmentation of `frame`.
  static func header(for frame: FrameSpecification, segmentSize: Int) -> VirtioNetHeader {
    var header = VirtioNetHeader()
    header.flags = .needsChecksum
    switch frame.transport {
    case .tcp: header.rawGSOType = (frame.ipVersion == 4 ? .tcpv4 : VirtioNetHeader.GSOType.tcpv6).rawValue
    case .udp: header.rawGSOType = VirtioNetHeader.GSOType.udpL4.rawValue
    }
    header.gsoSize = UInt16(segmentSize)
    header.checksumStart = UInt16(frame.transportOffset)
    header.checksumOffset = UInt16(frame.checksumOffset)
    return header
  }

  /// The bytes of the large frame, with nonsense where the segmentation has to put its own values.
  static func largeFrame(_ frame: FrameSpecification, using generator: inout SplitMix64) -> [UInt8] {
    var bytes = frame.encode()
    var nonsense: [Int] = [frame.transportOffset + frame.checksumOffset]
    nonsense += frame.ipVersion == 4 ? [frame.networkOffset + 2, frame.networkOffset + 10] : [frame.networkOffset + 4]
    if frame.transport == .udp { nonsense.append(frame.transportOffset + 4) }
    for offset in nonsense { bytes.replaceSubrange(offset..<offset + 2, with: generator.bytes(2)) }
    return bytes
  }

  /// The segments that the code makes of `bytes`, or nil if it refuses.
  static func split(_ bytes: [UInt8], _ header: VirtioNetHeader) -> [[UInt8]]? {
    ByteRegion.with(bytes) { frame in
      guard let layout = FrameLayout(parsing: frame, frameLength: frame.count) else { return nil }
      guard case .valid(let request) = OffloadCheck(header: header, layout: layout, frameLength: frame.count),
        var segmentation = SoftwareSegmentation(frame: frame, request: request)
      else { return nil }
      let scratch = ByteRegion.allocate(count: SoftwareSegmentation.maximumHeaderLength)
      defer { scratch.deallocate() }
      var segments: [[UInt8]] = []
      while let segment = segmentation.next(headerInto: scratch) {
        let payload = frame.slice(from: segment.payloadOffset, count: segment.payloadCount)
        segments.append(scratch.slice(from: 0, count: segment.headerLength).bytes + payload.bytes)
      }
      return segments.count == segmentation.segmentCount ? segments : nil
    }
  }
}
