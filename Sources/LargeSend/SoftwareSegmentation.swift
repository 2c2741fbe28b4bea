// SPDX-License-Identifier: Apache-2.0

public import Memory
import Wire

/// Cuts one large frame into frames of its segment size, one call a frame: TCP segmentation and UDP datagrams.
///
/// Each call writes the headers of one segment into memory of the caller's and says where its payload lies in the large
/// frame, so payload is summed but never copied. The caller may stop between any two calls: how many segments are made
/// in one go is its budget, not the sender's choice.
///
/// The fields that differ between segments are left out of two sums that are made once, and added to copies of them.
/// All checksums come from the bytes themselves; what the frame holds in their place is not looked at.
///
/// TCP (RFC 9293 §3.1, RFC 3168 §6.1.2): the sequence number goes on (modulo 2³²); FIN and PSH stay on the last segment,
/// CWR on the first; the urgent pointer keeps pointing at the same octet; options are repeated. IPv4 (RFC 791, RFC 6864):
/// the identification counts up. UDP: each datagram gets its own length.
public struct SoftwareSegmentation: Sendable {
  /// The most segments that one frame is cut into.
  public static let maximumSegmentCount = 65536
  /// The longest headers, Ethernet to TCP, that are repeated: what the caller has room for.
  public static let maximumHeaderLength = 256

  /// One segment: `headerLength` bytes that were written, then `payloadCount` bytes of the large frame from
  /// `payloadOffset` on.
  public struct Segment: BitwiseCopyable, Equatable, Sendable {
    public let headerLength: Int
    public let payloadOffset: Int
    public let payloadCount: Int
  }

  /// At least 1: a frame without payload is one segment.
  public let segmentCount: Int

  let frame: ByteRegion
  let request: OffloadRequest
  /// The network header without total length, identification and checksum. IPv4 only.
  let networkSum: InternetChecksum
  /// The pseudo-header without length, and the transport header without what differs between segments.
  let transportSum: InternetChecksum
  private var index = 0

  /// Prepares to cut `frame`.
  /// - Parameters:
  ///   - frame: the private, contiguous copy that `request` was checked against, unchanged until the last segment.
  /// - Returns: nil if `request` asks for no segmentation, `frame` is not of the length that was checked, its headers are
  ///   longer than `maximumHeaderLength`, or a segment with SYN or RST would become several (no TCP makes one: RFC 9293
  ///   §3.4 gives SYN a sequence number of its own, which all segments but the first would have to leave out).
  public init?(frame: ByteRegion, request: OffloadRequest) {
    let layout = request.layout
    guard request.isSegmentation, frame.count == request.frameLength else { return nil }
    guard layout.payloadOffset <= Self.maximumHeaderLength else { return nil }
    let payload = frame.count - layout.payloadOffset
    let size = Int(request.segmentSize)
    segmentCount = max(1, (payload + size - 1) / size)
    if request.kind == .tcpSegmentation, segmentCount > 1 {
      let control: UInt16 = frame.networkOrder(at: layout.transportOffset + TCPField.control)
      guard control & (TCPFlags.syn.rawValue | TCPFlags.rst.rawValue) == 0 else { return nil }
    }
    self.frame = frame
    self.request = request
    networkSum = Self.networkSum(frame, layout)
    transportSum = Self.transportSum(frame, layout)
  }

  /// Makes the next segment.
  /// - Parameter scratch: where its headers go: `maximumHeaderLength` bytes that do not overlap the frame. Fewer than a
  ///   header needs is a defect of the caller's and stops the program.
  /// - Returns: nil after the last segment.
  public mutating func next(headerInto scratch: ByteRegion) -> Segment? {
    guard index < segmentCount else { return nil }
    let headerLength = request.layout.payloadOffset
    // The index is below the segment count, so the start is inside the payload.
    let start = index &* Int(request.segmentSize)
    let count = min(Int(request.segmentSize), frame.count &- headerLength &- start)
    let cut = Cut(index: index, start: start, count: count, isLast: index == segmentCount &- 1)
    scratch.copy(from: frame.slice(from: 0, count: headerLength))
    patchNetworkHeader(scratch, cut)
    switch request.kind {
    case .tcpSegmentation: patchTCP(scratch, cut)
    case .udpSegmentation: patchUDP(scratch, cut)
    case .none, .checksum: return nil
    }
    index &+= 1
    return Segment(headerLength: headerLength, payloadOffset: headerLength &+ start, payloadCount: count)
  }
}
