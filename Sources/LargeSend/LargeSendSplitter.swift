// SPDX-License-Identifier: Apache-2.0

public import Memory
public import Packets
public import Wire

/// The first stage of multi-stage large send offload: cuts a frame that is larger than the next stage takes into frames that it takes,
/// each to be cut to the link's MTU there. One call a frame.
///
/// Each call writes the virtio header and the headers of one piece into memory of the caller's and lists where its payload lies: slices
/// of the large frame's own vectors, so payload is neither read nor copied. The caller may stop between any two calls, and begin anew
/// later at `position`.
///
/// A piece holds as many whole segments as the limits allow; only the last one has a rest. Cutting the pieces gives what cutting
/// the frame at once would give (`SoftwareSegmentation`), bit for bit:
///
/// - TCP (RFC 9293 §3.1, RFC 3168 §6.1.2): the sequence number goes on; FIN and PSH stay on the last piece, CWR and the request for it on
///   the first; the urgent pointer keeps pointing at the same octet; options are repeated;
/// - IPv4's identification goes on by the number of *segments* before, since the next stage counts up within each piece (RFC 6864);
/// - lengths are the piece's own. IPv4's total length is 0 where 16 bits do not hold it, as Linux has it for BIG TCP;
/// - the checksum stays partial: the sum of the pseudo-header with the piece's length.
///
/// A piece of one segment asks for no segmentation any more. None is smaller: a limit that holds no segment is not kept.
public struct LargeSendSplitter: Sendable {
  /// One piece.
  public struct Piece: BitwiseCopyable, Sendable {
    /// `index` is where its payload begins in the large frame's payload.
    public let frame: OutgoingFrame
    /// One past its last vector.
    public let vectorsEnd: Int
    /// It is still to be cut.
    public let isLarge: Bool
  }

  /// The longest headers, Ethernet to TCP, that are repeated.
  public static let maximumHeaderLength = SoftwareSegmentation.maximumHeaderLength
  /// Bytes that the caller has for a piece's virtio header and headers.
  public static let slotLength = VirtioNetHeader.length + maximumHeaderLength

  /// Where the payload of the next piece begins in the large frame's payload. A multiple of the segment size, or its end.
  public private(set) var position: Int

  let head: ByteRegion
  let request: OffloadRequest
  private let header: VirtioNetHeader
  private let payloadCount: Int
  private let piecePayload: Int
  private var headOffset: Int
  private var rest: VectorCursor

  /// Prepares to cut a frame.
  /// - Parameters:
  ///   - head: a private copy of its first bytes, all headers among them, unchanged until the last piece has gone.
  ///   - rest: where the bytes behind `head` lie.
  ///   - header: what the frame asks for, as it is to be said to the next stage.
  ///   - request: the same, checked against this frame.
  ///   - position: where to go on in the payload; 0 at first.
  /// - Returns: nil if `request` asks for no segmentation, the headers are longer than `maximumHeaderLength` or not in `head`, a TCP
  ///   segment with SYN or RST would become several (RFC 9293 §3.4), there is no payload, or no
  ///   segment begins at `position`.
  public init?(
    head: ByteRegion, rest: VectorCursor, header: VirtioNetHeader, request: OffloadRequest, limits: EgressLimits,
    from position: Int = 0
  ) {
    let headerLength = request.layout.payloadOffset
    let size = Int(request.segmentSize)
    guard request.isSegmentation, headerLength <= min(Self.maximumHeaderLength, head.count),
      head.count <= request.frameLength
    else { return nil }
    // `OffloadCheck` let no segment of size 0 through, nor a frame shorter than its headers.
    let payload = request.frameLength &- headerLength
    guard payload > 0, position >= 0, position <= payload, position % size == 0 else { return nil }
    if request.kind == .tcpSegmentation, payload > size {
      let control: UInt16 = head.networkOrder(at: request.layout.transportOffset + TCPField.control)
      guard control & (TCPFlags.syn.rawValue | TCPFlags.rst.rawValue) == 0 else { return nil }
    }
    self.head = head
    self.rest = rest
    self.header = header
    self.request = request
    self.position = position
    payloadCount = payload
    let room = limits.most(request) &- headerLength
    piecePayload = max(1, min(room / size, limits.mostSegments(request))) &* size
    headOffset = min(headerLength &+ position, head.count)
    self.rest.skip(headerLength &+ position &- headOffset)
  }

  /// The last piece was made.
  public var isDone: Bool { position >= payloadCount }

  /// Makes the next piece.
  /// - Parameters:
  ///   - slot: `slotLength` bytes for its headers, which its first vector is.
  ///   - vectors: gets its vectors from `place` on.
  /// - Returns: nil after the last piece, and if `vectors` has no room for it; then nothing has changed.
  public mutating func next(into slot: ByteRegion, vectors: RecordBuffer<IOVector>, at place: Int) -> Piece? {
    guard !isDone, place >= 0, place &+ 1 < vectors.capacity else { return nil }
    let headerLength = request.layout.payloadOffset
    let cut = LargeSendCut(
      start: position, count: min(piecePayload, payloadCount &- position), segmentSize: Int(request.segmentSize),
      isLast: payloadCount &- position <= piecePayload)
    var end = place &+ 1
    let fromHead = min(head.count &- headOffset, cut.count)
    if fromHead > 0 {
      vectors[end] = IOVector(head.slice(from: headOffset, count: fromHead))
      end &+= 1
    }
    var cursor = rest
    guard let last = cursor.gather(cut.count &- fromHead, into: vectors, at: end) else { return nil }
    rest = cursor
    headOffset &+= fromHead
    position &+= cut.count
    let isLarge = cut.count > cut.segmentSize
    virtioHeader(cut, isLarge: isLarge).encode(into: slot)
    let headers = slot.slice(from: VirtioNetHeader.length, count: headerLength)
    headers.copy(from: head.slice(from: 0, count: headerLength))
    patch(headers, cut)
    vectors[place] = IOVector(slot.slice(from: 0, count: VirtioNetHeader.length &+ headerLength))
    let frame = OutgoingFrame(
      firstVector: Int32(truncatingIfNeeded: place), vectorCount: Int32(truncatingIfNeeded: last &- place),
      byteCount: Int32(truncatingIfNeeded: VirtioNetHeader.length &+ headerLength &+ cut.count),
      index: Int32(truncatingIfNeeded: cut.start))
    return Piece(frame: frame, vectorsEnd: last, isLarge: isLarge)
  }

  private func virtioHeader(_ cut: LargeSendCut, isLarge: Bool) -> VirtioNetHeader {
    var result = VirtioNetHeader()
    result.flags = .needsChecksum
    result.checksumStart = request.checksumStart
    result.checksumOffset = request.checksumOffset
    guard isLarge else { return result }
    result.rawGSOType = cut.start == 0 ? header.rawGSOType : header.gsoType.rawValue
    result.gsoSize = request.segmentSize
    result.headerLength = UInt16(truncatingIfNeeded: request.layout.payloadOffset)
    return result
  }
}
