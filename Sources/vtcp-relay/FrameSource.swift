// SPDX-License-Identifier: Apache-2.0

import LargeSend
import Memory
import Uplinks
import Wire

/// Frames from an interface as the wire would have them: checksums complete, large ones cut into segments.
final class FrameSource {
  enum Arrival {
    case none
    /// A frame came, and was handed on in pieces.
    case frame
    /// Its virtio header asks for what does not fit it, or it could not be read.
    case refused
  }

  /// The longest frame that an interface hands up (IP_MAX_MTU), with Ethernet header and tags.
  private static let longest = 65_535 + 64

  private let uplink: Uplink
  private let buffer = ByteRegion.allocate(count: VirtioNetHeader.length + longest)
  private let vectors = RecordBuffer<IOVector>(capacity: 1, repeating: .none)
  private let scratch = ByteRegion.allocate(count: SoftwareSegmentation.maximumHeaderLength)

  init(_ uplink: Uplink) {
    self.uplink = uplink
    vectors[0] = IOVector(buffer)
  }

  deinit {
    buffer.deallocate()
    vectors.deallocate()
    scratch.deallocate()
  }

  /// The next frame: `take` gets each of its pieces, in two parts, of which the second may be empty.
  func next(_ take: (ByteRegion, ByteRegion) -> Void) -> Arrival {
    guard uplink.stagesFrames else {
      let count = uplink.receive(queue: 0, vectors: vectors, first: 0, count: 1)
      guard count != 0 else { return .none }
      guard count > VirtioNetHeader.length else { return .refused }
      return split(buffer.slice(from: 0, count: count), take)
    }
    guard let region = uplink.nextFrame(queue: 0) else { return .none }
    return split(region, take)
  }

  private func split(_ region: ByteRegion, _ take: (ByteRegion, ByteRegion) -> Void) -> Arrival {
    let header = VirtioNetHeader(decoding: region)
    let frame = region.suffix(from: VirtioNetHeader.length)
    let nothing = frame.suffix(from: frame.count)
    guard header.needsChecksum || header.needsSegmentation else {
      take(frame, nothing)
      return .frame
    }
    guard let layout = FrameLayout(parsing: frame, frameLength: frame.count),
      case .valid(let request) = OffloadCheck(header: header, layout: layout, frameLength: frame.count)
    else { return .refused }
    guard request.isSegmentation else {
      guard ChecksumCompletion.complete(frame, request) else { return .refused }
      take(frame, nothing)
      return .frame
    }
    guard var cutter = SoftwareSegmentation(frame: frame, request: request) else { return .refused }
    while let segment = cutter.next(headerInto: scratch) {
      take(
        scratch.slice(from: 0, count: segment.headerLength),
        frame.slice(from: segment.payloadOffset, count: segment.payloadCount))
    }
    return .frame
  }
}
