// SPDX-License-Identifier: Apache-2.0

import LargeSend
import Memory
import Uplinks
import Wire

/// A frame in private memory on its way to someone who may not take it as it is: completed in software, and handed out
/// piece by piece.
///
/// A piece is what the taker sees as one frame: a virtio header, the frame's first part and the rest of it. A frame
/// that the taker can take is one piece as it stands; a partial checksum is completed; a frame that asks for
/// segmentation is cut. A taker that can't take a piece now comes back for the same piece later.
final class StagedFrame {
  /// Where a piece lies, and what stands in its virtio header.
  struct Piece {
    let header: VirtioNetHeader
    let first: ByteRegion
    let rest: ByteRegion
    var byteCount: Int { first.count &+ rest.count }
  }

  enum Preparation {
    case ready
    /// Its virtio header asks for what does not fit the frame.
    case refused
  }

  private let scratch = ByteRegion.allocate(count: SoftwareSegmentation.maximumHeaderLength)
  private var cutter: SoftwareSegmentation?
  private var frame: ByteRegion
  private var current: Piece?

  init() { frame = scratch.slice(from: 0, count: 0) }

  deinit { scratch.deallocate() }

  /// The piece to hand out next; nil: nothing is staged.
  var piece: Piece? { current }

  /// Stages the frame behind the virtio header in `region`, which must stay as it is until the last piece is taken.
  func stage(_ region: ByteRegion, for taker: ReceiveOffloads, _ counters: QueueCounters) -> Preparation {
    let header = VirtioNetHeader(decoding: region)
    frame = region.suffix(from: VirtioNetHeader.length)
    cutter = nil
    guard header.needsChecksum || header.needsSegmentation else {
      current = whole(VirtioNetHeader(keepingValidityOf: header, for: taker))
      return .ready
    }
    let head = frame.slice(from: 0, count: min(frame.count, FrameLimits.inspected))
    guard let layout = FrameLayout(parsing: head, frameLength: frame.count),
      case .valid(let request) = OffloadCheck(header: header, layout: layout, frameLength: frame.count)
    else { return .refused }
    if taker.takes(header, ipVersion: layout.ipVersion) {
      current = whole(header)
      return .ready
    }
    guard request.isSegmentation else {
      counters.add(.softwareChecksums)
      guard ChecksumCompletion.complete(frame, request) else { return .refused }
      current = whole(VirtioNetHeader())
      return .ready
    }
    cutter = SoftwareSegmentation(frame: frame, request: request)
    guard let segments = cutter?.segmentCount else { return .refused }
    counters.add(.softwareSegments, segments)
    advance()
    return .ready
  }

  /// The current piece was taken.
  func advance() {
    guard let segment = cutter?.next(headerInto: scratch) else {
      current = nil
      cutter = nil
      return
    }
    current = Piece(
      header: VirtioNetHeader(), first: scratch.slice(from: 0, count: segment.headerLength),
      rest: frame.slice(from: segment.payloadOffset, count: segment.payloadCount))
  }

  /// Forgets what is staged.
  func clear() {
    current = nil
    cutter = nil
  }

  private func whole(_ header: VirtioNetHeader) -> Piece {
    Piece(header: header, first: frame, rest: frame.slice(from: frame.count, count: 0))
  }
}

extension ReceiveOffloads {
  /// Whether a taker with these abilities can take a frame that asks for what `header` says.
  func takes(_ header: VirtioNetHeader, ipVersion: UInt8) -> Bool {
    guard !header.needsChecksum || contains(.checksum) else { return false }
    guard !header.hasECN || contains(.ecn) else { return false }
    switch header.gsoType {
    case .none: return true
    case .tcpv4: return contains(.tso4)
    case .tcpv6: return contains(.tso6)
    case .udpL4: return contains(ipVersion == 6 ? .uso6 : .uso4)
    default: return false
    }
  }
}

extension VirtioNetHeader {
  /// A header that asks for nothing, but says that the checksum was verified if `other` does and the taker may hear it.
  init(keepingValidityOf other: VirtioNetHeader, for taker: ReceiveOffloads) {
    self.init()
    if other.flags.contains(.dataValid), taker.contains(.checksum) { flags = .dataValid }
  }
}
