// SPDX-License-Identifier: Apache-2.0

public import Memory

/// Changes fields of a TCP header where it lies.
///
/// Each function writes its field and brings the checksum up to date at once (RFC 1624 §3), so a checksum that was right
/// stays right and one that was wrong stays wrong. A partial checksum (VIRTIO_NET_HDR_F_NEEDS_CSUM, virtio 1.3 §5.1.6)
/// is left alone: it covers the pseudo-header only, in which nothing changes here.
///
/// Nothing moves: options are overwritten, and one is added only where padding has room for it (else see `OptionInsertion`). `segment` is not
/// changed with the header.
public struct TCPHeaderPatch: Sendable {
  private let head: ByteRegion
  private let header: Int
  private let options: TCPOptions
  /// Behind the options.
  private let end: Int
  private let checksumIsPartial: Bool

  /// - Parameters:
  ///   - head: the private copy of the frame's first bytes from which `segment` was parsed.
  ///   - checksumIsPartial: the checksum's field holds the sum of the pseudo-header.
  public init(_ head: ByteRegion, _ segment: TCPSegment, checksumIsPartial: Bool) {
    self.head = head
    header = segment.headerOffset
    options = segment.options
    end = segment.payloadOffset
    self.checksumIsPartial = checksumIsPartial
  }

  public func setSequenceNumber(_ number: SequenceNumber) {
    replace(header &+ TCPField.sequenceNumber, with: number.rawValue)
  }

  public func setAcknowledgmentNumber(_ number: SequenceNumber) {
    replace(header &+ TCPField.acknowledgmentNumber, with: number.rawValue)
  }

  /// The field as it is sent: the window without its scale's bits.
  public func setWindow(_ window: UInt16) {
    replace(header &+ TCPField.window, with: window)
  }

  public func setUrgentPointer(_ pointer: UInt16) {
    replace(header &+ TCPField.urgentPointer, with: pointer)
  }

  /// Clears `removed`, then sets `inserted`. Data offset and reserved bits stay.
  public func changeFlags(inserting inserted: TCPFlags, removing removed: TCPFlags) {
    let word: UInt16 = head.networkOrder(at: header &+ TCPField.control)
    let cleared = word & ~removed.intersection(.all).rawValue
    replace(header &+ TCPField.control, with: cleared | inserted.intersection(.all).rawValue)
  }

  /// - Returns: false, and nothing was written, if the segment has no Timestamps option.
  @discardableResult
  public func setTimestampValue(_ value: UInt32) -> Bool {
    guard options.timestampsOffset != 0 else { return false }
    replace(options.timestampsOffset &+ 2, with: value)
    return true
  }

  /// - Returns: false, and nothing was written, if the segment has no Timestamps option.
  @discardableResult
  public func setTimestampEcho(_ echo: UInt32) -> Bool {
    guard options.timestampsOffset != 0 else { return false }
    replace(options.timestampsOffset &+ 6, with: echo)
    return true
  }

  /// Brings the Maximum Segment Size option down to `size`; never up.
  /// - Returns: false if the segment has no such option, or a smaller one.
  @discardableResult
  public func lowerMaximumSegmentSize(to size: UInt16) -> Bool {
    guard options.maximumSegmentSizeOffset != 0, size < options.maximumSegmentSize else { return false }
    replace(options.maximumSegmentSizeOffset &+ 2, with: size)
    return true
  }

  /// Writes a Maximum Segment Size option over padding: the first four No-Operations in a row, or an End of Option List and what lies behind it.
  /// - Returns: false, and nothing was written, if there is no such place, the segment has the option, or its options can't be read to
  ///   their end.
  @discardableResult
  public func addMaximumSegmentSize(_ size: UInt16) -> Bool {
    guard options.kinds.isDisjoint(with: [.maximumSegmentSize, .malformed]) else { return false }
    let first = header &+ TCPField.options
    let area = head.slice(from: first, count: min(end &- first, TCPOptions.maximumLength))
    guard let place = Self.padding(of: area) else { return false }
    let old = Self.sum(of: area)
    area.storeNetworkOrder(OptionInsertion.maximumSegmentSizeOption(size), at: place.lowerBound)
    // Behind an end of the list that is none any more.
    area.slice(from: place.lowerBound &+ 4, count: place.count &- 4).fill(with: TCPOptionNumber.endOfList)
    updateChecksum(at: first, replacing: UInt32(old), with: UInt32(Self.sum(of: area)))
    return true
  }

  /// Four octets of options that can be read to their end, or more, that say nothing.
  private static func padding(of area: ByteRegion) -> Range<Int>? {
    var offset = 0
    var run = 0
    while offset < area.count {
      let kind: UInt8 = area.load(at: offset)
      guard kind != TCPOptionNumber.endOfList else {
        let start = offset &- run
        return area.count &- start >= 4 ? start..<area.count : nil
      }
      guard kind != TCPOptionNumber.noOperation else {
        run &+= 1
        offset &+= 1
        if run == 4 { return offset &- 4..<offset }
        continue
      }
      run = 0
      let length = area.count &- offset >= 2 ? Int(area.load(UInt8.self, at: offset &+ 1)) : 0
      guard length >= 2 else { return nil }
      offset &+= length
    }
    return nil
  }

  /// Puts `blocks` in place of those of the SACK option. As many as it had fit, the first ones; what they leave of the
  /// option becomes No-Operations, and without blocks all of it.
  /// - Returns: how many blocks were written; 0 if the segment has no SACK option.
  @discardableResult
  public func setSACKBlocks(_ blocks: SACKBlocks) -> Int {
    guard options.sackOffset != 0 else { return 0 }
    let room = Int(options.sackBlockCount)
    let count = min(blocks.count, room)
    let option = head.slice(from: options.sackOffset, count: 2 &+ room &* 8)
    let old = Self.sum(of: option)
    var offset = 0
    if count > 0 {
      option.store(TCPOptionNumber.sack, at: 0)
      option.store(UInt8(truncatingIfNeeded: 2 &+ count &* 8), at: 1)
      offset = 2
    }
    for index in 0..<count {
      option.storeNetworkOrder(blocks[index].start.rawValue, at: offset)
      option.storeNetworkOrder(blocks[index].end.rawValue, at: offset &+ 4)
      offset &+= 8
    }
    option.suffix(from: offset).fill(with: TCPOptionNumber.noOperation)
    updateChecksum(at: options.sackOffset, replacing: UInt32(old), with: UInt32(Self.sum(of: option)))
    return count
  }

  /// Makes No-Operations of the options of these kinds, as far as the options can be read.
  /// - Returns: which there were.
  @discardableResult
  public func removeOptions(_ kinds: TCPOptionKinds) -> TCPOptionKinds {
    guard !options.kinds.isDisjoint(with: kinds) else { return [] }
    let first = header &+ TCPField.options
    let area = head.slice(from: first, count: min(end &- first, TCPOptions.maximumLength))
    let old = Self.sum(of: area)
    var removed: TCPOptionKinds = []
    var offset = 0
    while offset < area.count {
      let kind: UInt8 = area.load(at: offset)
      guard kind != TCPOptionNumber.endOfList else { break }
      guard kind != TCPOptionNumber.noOperation else {
        offset &+= 1
        continue
      }
      let length = area.count &- offset >= 2 ? Int(area.load(UInt8.self, at: offset &+ 1)) : 0
      guard length >= 2, length <= area.count &- offset else { break }
      let option = TCPOptionNumber.option(kind, length, area, at: offset)
      if kinds.contains(option) {
        removed.formUnion(option)
        area.slice(from: offset, count: length).fill(with: TCPOptionNumber.noOperation)
      }
      offset &+= length
    }
    updateChecksum(at: first, replacing: UInt32(old), with: UInt32(Self.sum(of: area)))
    return removed
  }

  private static func sum(of bytes: ByteRegion) -> UInt16 {
    var sum = InternetChecksum()
    sum.add(bytes)
    return sum.sum
  }

  @inline(__always)
  private func replace(_ offset: Int, with value: UInt32) {
    let old: UInt32 = head.networkOrder(at: offset)
    guard old != value else { return }
    head.storeNetworkOrder(value, at: offset)
    updateChecksum(at: offset, replacing: old, with: value)
  }

  @inline(__always)
  private func replace(_ offset: Int, with value: UInt16) {
    let old: UInt16 = head.networkOrder(at: offset)
    guard old != value else { return }
    head.storeNetworkOrder(value, at: offset)
    updateChecksum(at: offset, replacing: UInt32(old), with: UInt32(value))
  }

  /// - Parameter old, new: words at `offset`, or the sum of several.
  @inline(__always)
  private func updateChecksum(at offset: Int, replacing old: UInt32, with new: UInt32) {
    guard !checksumIsPartial else { return }
    let field = header &+ TCPField.checksum
    let checksum: UInt16 = head.networkOrder(at: field)
    // At an odd offset the field's bytes are in the other halves of the words (RFC 1071 §2(B)). Which of its two words
    // is which does not matter to the sum.
    let isOdd = (offset &- header) & 1 != 0
    let updated = InternetChecksum.update(
      checksum, replacing: isOdd ? old.byteSwapped : old, with: isOdd ? new.byteSwapped : new)
    head.storeNetworkOrder(updated, at: field)
  }
}
