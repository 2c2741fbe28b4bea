// SPDX-License-Identifier: Apache-2.0

public import Memory

/// The options of a TCP header (RFC 9293 §3.1), read once.
///
/// A length below 2 or over the end, a known kind with a length that is not its own, and a second one of an option whose
/// values are kept here end the walk with `malformed` in `kinds`; what came before counts. An End of Option List ends it as well, and what lies
/// behind that is not looked at. Values are 0 where their kind is not there.
public struct TCPOptions: BitwiseCopyable, Equatable, Sendable {
  /// Bytes, RFC 9293 §3.1: fifteen words of header without the five that are always there.
  public static let maximumLength = 40

  public internal(set) var kinds: TCPOptionKinds = []
  public internal(set) var maximumSegmentSize: UInt16 = 0
  /// `shift.cnt` as it came. Users take more than 14 for 14 (RFC 7323 §2.3).
  public internal(set) var windowScale: UInt8 = 0
  /// 1 to 4 with a SACK option, else 0.
  public internal(set) var sackBlockCount: UInt8 = 0
  /// TSval, RFC 7323 §3.2.
  public internal(set) var timestampValue: UInt32 = 0
  /// TSecr.
  public internal(set) var timestampEcho: UInt32 = 0

  var timestamps16: UInt16 = 0
  var sack16: UInt16 = 0
  var maximumSegmentSize16: UInt16 = 0

  /// Where the option's kind lies in the bytes that were parsed; 0 where there is none. So the two below.
  public var timestampsOffset: Int { Int(timestamps16) }
  public var sackOffset: Int { Int(sack16) }
  public var maximumSegmentSizeOffset: Int { Int(maximumSegmentSize16) }

  public var timestamps: TCPTimestamps? {
    guard timestamps16 != 0 else { return nil }
    return TCPTimestamps(value: timestampValue, echo: timestampEcho)
  }

  /// No options.
  public init() {}

  /// Reads the options in `start ..< end` of `head`, a private copy that holds as many bytes. The header before them lies
  /// in `head` too, so `start` is not 0. What is behind `maximumLength` bytes is not looked at.
  @inline(__always)
  public init(parsing head: ByteRegion, from start: Int, to end: Int) {
    guard end > start else { return }
    // What nearly every segment of a connection has: two NOPs and the timestamps (RFC 7323 appendix A).
    if end &- start == 12 {
      let options = head.slice(from: start, count: 12)
      if options.networkOrder(UInt32.self, at: 0) == 0x0101_080a {
        kinds = .timestamps
        timestampValue = options.networkOrder(at: 4)
        timestampEcho = options.networkOrder(at: 8)
        timestamps16 = UInt16(truncatingIfNeeded: start &+ 2)
        return
      }
    }
    walk(head, from: start, to: min(end, start &+ Self.maximumLength))
  }

  /// The `index`th range of the SACK option, below `sackBlockCount`.
  /// - Parameter head: the bytes that were parsed.
  public func sackBlock(_ index: Int, in head: ByteRegion) -> SequenceRange {
    precondition(index >= 0 && index < Int(sackBlockCount), "out of bounds")
    let offset = sackOffset &+ 2 &+ index &* 8
    return SequenceRange(
      start: SequenceNumber(rawValue: head.networkOrder(at: offset)),
      end: SequenceNumber(rawValue: head.networkOrder(at: offset &+ 4)))
  }

  /// All ranges of the SACK option, in its order.
  public func sackBlocks(in head: ByteRegion) -> SACKBlocks {
    var blocks = SACKBlocks()
    for index in 0..<Int(sackBlockCount) { blocks.append(sackBlock(index, in: head)) }
    return blocks
  }

  @inline(never)
  private mutating func walk(_ head: ByteRegion, from start: Int, to end: Int) {
    var offset = start
    while offset < end {
      let kind: UInt8 = head.load(at: offset)
      guard kind != TCPOptionNumber.endOfList else { return }
      guard kind != TCPOptionNumber.noOperation else {
        offset &+= 1
        continue
      }
      let length = end &- offset >= 2 ? Int(head.load(UInt8.self, at: offset &+ 1)) : 0
      guard length >= 2, length <= end &- offset, take(kind, length, head, at: offset) else {
        kinds.insert(.malformed)
        return
      }
      offset &+= length
    }
  }

  /// - Returns: false if the option is malformed.
  private mutating func take(_ kind: UInt8, _ length: Int, _ head: ByteRegion, at offset: Int) -> Bool {
    let option = TCPOptionNumber.option(kind, length, head, at: offset)
    guard option != .unknown else {
      kinds.insert(.unknown)
      return true
    }
    guard TCPOptionNumber.isLength(length, of: option) else { return false }
    // Those with values; MPTCP's, for one, may come several times.
    guard kinds.isDisjoint(with: option.intersection(.withValues)) else { return false }
    kinds.insert(option)
    switch option {
    case .maximumSegmentSize:
      maximumSegmentSize = head.networkOrder(at: offset &+ 2)
      maximumSegmentSize16 = UInt16(truncatingIfNeeded: offset)
    case .windowScale:
      windowScale = head.load(at: offset &+ 2)
    case .sack:
      // At most 38 bytes of blocks.
      sackBlockCount = UInt8(truncatingIfNeeded: (length &- 2) / 8)
      sack16 = UInt16(truncatingIfNeeded: offset)
    case .timestamps:
      timestampValue = head.networkOrder(at: offset &+ 2)
      timestampEcho = head.networkOrder(at: offset &+ 6)
      timestamps16 = UInt16(truncatingIfNeeded: offset)
    default:
      break
    }
    return true
  }
}
