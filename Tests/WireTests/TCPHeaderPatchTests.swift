// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Testing
import Wire

@Suite("TCP headers are patched in place, checksums kept")
struct TCPHeaderPatchTests {
  /// One way to change a header, and what it must change: these octets and no others.
  private enum Change: CaseIterable {
    case sequence, acknowledgment, window, urgent, flags, value, echo, size, sack, removal
  }

  private struct Values {
    let wide: UInt32
    let narrow: UInt16
    let inserted: TCPFlags
    let removed: TCPFlags
    let kinds: TCPOptionKinds
    var blocks = SACKBlocks()

    init(_ generator: inout SplitMix64) {
      wide = .random(in: 0...UInt32.max, using: &generator)
      narrow = .random(in: 0...UInt16.max, using: &generator)
      inserted = TCPFlags(rawValue: .random(in: 0...UInt16.max, using: &generator))
      removed = TCPFlags(rawValue: .random(in: 0...UInt16.max, using: &generator))
      // Of all but SACK and timestamps, which others change as well.
      kinds = TCPOptionKinds(rawValue: .random(in: 0...UInt16.max, using: &generator)).subtracting([.sack, .timestamps])
      for _ in 0..<Int.random(in: 0...4, using: &generator) {
        let start = SequenceNumber(rawValue: .random(in: 0...UInt32.max, using: &generator))
        blocks.append(SequenceRange(start: start, count: Int.random(in: 0...100_000, using: &generator)))
      }
    }
  }

  private func apply(_ change: Change, _ values: Values, _ patch: TCPHeaderPatch) {
    let number = SequenceNumber(rawValue: values.wide)
    switch change {
    case .sequence: patch.setSequenceNumber(number)
    case .acknowledgment: patch.setAcknowledgmentNumber(number)
    case .window: patch.setWindow(values.narrow)
    case .urgent: patch.setUrgentPointer(values.narrow)
    case .flags: patch.changeFlags(inserting: values.inserted, removing: values.removed)
    case .value: patch.setTimestampValue(values.wide)
    case .echo: patch.setTimestampEcho(values.wide)
    case .size: patch.lowerMaximumSegmentSize(to: values.narrow)
    case .sack: patch.setSACKBlocks(values.blocks)
    case .removal: patch.removeOptions(values.kinds)
    }
  }

  /// The octets that must be in place of others, by the drawing in the RFC.
  private func expected(_ change: Change, _ values: Values, _ frame: FrameSpecification) -> (Int, [UInt8])? {
    let header = frame.transportOffset
    let wide = octets(values.wide)
    let narrow = [UInt8(values.narrow >> 8), UInt8(values.narrow & 0xff)]
    switch change {
    case .sequence: return (header + 4, wide)
    case .acknowledgment: return (header + 8, wide)
    case .window: return (header + 14, narrow)
    case .urgent: return (header + 18, narrow)
    case .flags: return (header + 12, control(values, frame))
    case .value: return place(8, frame).map { ($0 + 2, wide) }
    case .echo: return place(8, frame).map { ($0 + 6, wide) }
    case .size: return place(2, frame).flatMap { lower($0, values, frame, narrow) }
    case .sack: return place(5, frame).map { ($0, sack($0, values, frame)) }
    case .removal: return (header + 20, without(values.kinds, frame.tcpOptions))
    }
  }

  private func octets(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

  private func control(_ values: Values, _ frame: FrameSpecification) -> [UInt8] {
    let old = UInt16(frame.control)
    let new = old & ~(values.removed.rawValue & 0x1ff) | values.inserted.rawValue & 0x1ff
    return [UInt8((20 + frame.tcpOptions.count) * 4) | UInt8(new >> 8), UInt8(new & 0xff)]
  }

  private func lower(
    _ place: Int, _ values: Values, _ frame: FrameSpecification, _ narrow: [UInt8]
  ) -> (Int, [UInt8])? {
    let option = place - frame.transportOffset - 20
    let old = UInt16(frame.tcpOptions[option + 2]) << 8 | UInt16(frame.tcpOptions[option + 3])
    return values.narrow < old ? (place + 2, narrow) : nil
  }

  private func sack(_ place: Int, _ values: Values, _ frame: FrameSpecification) -> [UInt8] {
    let length = Int(frame.tcpOptions[place - frame.transportOffset - 20 + 1])
    let count = min(values.blocks.count, length / 8)
    var option: [UInt8] = count > 0 ? [5, UInt8(2 + 8 * count)] : []
    for index in 0..<count {
      option += octets(values.blocks[index].start.rawValue) + octets(values.blocks[index].end.rawValue)
    }
    return option + [UInt8](repeating: 1, count: length - option.count)
  }

  /// The options with No-Operations in place of those kinds.
  private func without(_ kinds: TCPOptionKinds, _ options: [UInt8]) -> [UInt8] {
    let known: [UInt8: TCPOptionKinds] = [
      2: .maximumSegmentSize, 3: .windowScale, 4: .sackPermitted, 5: .sack, 8: .timestamps, 19: .md5,
      29: .authentication,
      30: .multipath, 34: .fastOpen, 172: .accurateECN, 174: .accurateECN,
    ]
    var result = options
    var offset = 0
    while offset < options.count, options[offset] != 0 {
      guard options[offset] != 1 else {
        offset += 1
        continue
      }
      let length = Int(options[offset + 1])
      var kind = known[options[offset]] ?? .unknown
      if options[offset] == 254, length >= 4, options[offset + 2] == 0xf9, options[offset + 3] == 0x89 {
        kind = .fastOpen
      }
      if kinds.contains(kind) { for place in offset..<offset + length { result[place] = 1 } }
      offset += length
    }
    return result
  }

  /// Where the option of that number is in the frame.
  private func place(_ number: UInt8, _ frame: FrameSpecification) -> Int? {
    var offset = 0
    while offset < frame.tcpOptions.count {
      guard frame.tcpOptions[offset] != number else { return frame.transportOffset + 20 + offset }
      offset += frame.tcpOptions[offset] == 1 ? 1 : Int(frame.tcpOptions[offset + 1])
    }
    return nil
  }

  @Test(arguments: 0..<1500)
  func aPatchedHeaderHasTheNewFieldAndARightChecksumAndNothingElseChanged(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let frame = FrameSpecification.randomSegment(payloadLength: seed % 20, using: &generator)
    for change in Change.allCases {
      let values = Values(&generator)
      var bytes = frame.encode()
      let after = try ParsedFrame.with(bytes) { parsed in
        apply(change, values, TCPHeaderPatch(parsed.head, parsed.segment, checksumIsPartial: false))
        return parsed.head.bytes
      }
      #expect(frame.isChecksumValid(after), "\(change) of \(frame)")
      if let (offset, octets) = expected(change, values, frame) {
        bytes.replaceSubrange(offset..<offset + octets.count, with: octets)
      }
      let checksum = frame.transportOffset + 16
      bytes.replaceSubrange(checksum..<checksum + 2, with: after[checksum..<checksum + 2])
      #expect(after == bytes, "\(change) of \(frame)")
    }
  }

  @Test(arguments: 0..<300)
  func aPartialChecksumIsLeftAlone(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let frame = FrameSpecification.randomSegment(payloadLength: 3, using: &generator)
    let values = Values(&generator)
    let before = frame.encode()
    let field = frame.transportOffset + 16..<frame.transportOffset + 18
    try ParsedFrame.with(before) { parsed in
      let patch = TCPHeaderPatch(parsed.head, parsed.segment, checksumIsPartial: true)
      for change in Change.allCases { apply(change, values, patch) }
      #expect(parsed.head.bytes[field] == before[field])
      let after = try parsed.again()
      #expect(after.sequenceNumber.rawValue == values.wide && after.window == values.narrow)
    }
  }

  @Test(arguments: 0..<200)
  func aWrongChecksumStaysWrong(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let frame = FrameSpecification.randomSegment(payloadLength: 3, using: &generator)
    var bytes = frame.encode()
    bytes[frame.transportOffset + 16] ^= 0x10
    let values = Values(&generator)
    try ParsedFrame.with(bytes) { parsed in
      let patch = TCPHeaderPatch(parsed.head, parsed.segment, checksumIsPartial: false)
      for change in Change.allCases { apply(change, values, patch) }
      #expect(!frame.isChecksumValid(parsed.head.bytes))
    }
  }

  @Test(arguments: 0..<300)
  func onePatchAfterAnotherEndsWithARightChecksum(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let frame = FrameSpecification.randomSegment(payloadLength: 8, using: &generator)
    try ParsedFrame.with(frame.encode()) { parsed in
      let patch = TCPHeaderPatch(parsed.head, parsed.segment, checksumIsPartial: false)
      for _ in 0..<3 { for change in Change.allCases { apply(change, Values(&generator), patch) } }
      #expect(frame.isChecksumValid(parsed.head.bytes))
    }
  }

  @Test(arguments: 1...4, 0...4)
  func aSACKOptionKeepsItsSizeWhateverIsPutIntoIt(had: Int, given: Int) throws {
    // An odd place for the option: one No-Operation before it, and as many behind as make whole words.
    var frame = FrameSpecification()
    frame.tcpOptions = [1, 5, UInt8(2 + 8 * had)] + [UInt8](repeating: 9, count: 8 * had) + [1]
    var blocks = SACKBlocks()
    for index in 0..<given { blocks.append(SequenceRange(start: SequenceNumber(rawValue: UInt32(index)), count: 5)) }
    try ParsedFrame.with(frame.encode()) { parsed in
      let patch = TCPHeaderPatch(parsed.head, parsed.segment, checksumIsPartial: false)
      #expect(patch.setSACKBlocks(blocks) == min(had, given))
      #expect(frame.isChecksumValid(parsed.head.bytes))
      let options = try parsed.again().options
      #expect(options.kinds == (given > 0 ? .sack : []) && Int(options.sackBlockCount) == min(had, given))
      #expect(options.sackBlockCount == 0 || options.sackBlocks(in: parsed.head)[0] == blocks[0])
    }
  }

  @Test func whatASegmentHasNoOptionForIsNotWritten() throws {
    let bytes = FrameSpecification().encode()
    try ParsedFrame.with(bytes) { parsed in
      let patch = TCPHeaderPatch(parsed.head, parsed.segment, checksumIsPartial: false)
      #expect(!patch.setTimestampValue(1) && !patch.setTimestampEcho(1) && !patch.lowerMaximumSegmentSize(to: 1))
      #expect(patch.setSACKBlocks(SACKBlocks()) == 0)
      #expect(parsed.head.bytes == bytes)
    }
  }

  @Test func aSmallerMaximumSegmentSizeIsNotRaised() throws {
    var frame = FrameSpecification()
    frame.tcpOptions = [2, 4, 0x02, 0x18]
    try ParsedFrame.with(frame.encode()) { parsed in
      let patch = TCPHeaderPatch(parsed.head, parsed.segment, checksumIsPartial: false)
      #expect(!patch.lowerMaximumSegmentSize(to: 536))
      #expect(patch.lowerMaximumSegmentSize(to: 535))
      let after = try parsed.again()
      #expect(after.options.maximumSegmentSize == 535)
    }
  }

  @Test(
    "A segment size finds its place in padding, and only there",
    arguments: [
      ([1, 1, 1, 1], [2, 4, 5, 180]), ([3, 3, 7, 1, 1, 1, 1, 1], [3, 3, 7, 2, 4, 5, 180, 1]),
      ([0, 0, 0, 0], [2, 4, 5, 180]),
      ([1, 1, 0, 9, 9, 9, 9, 9], [2, 4, 5, 180, 0, 0, 0, 0]), ([4, 2, 1, 1, 0, 0, 0, 0], [4, 2, 2, 4, 5, 180, 0, 0]),
      ([1, 1, 4, 2, 1, 1, 1, 0], [1, 1, 4, 2, 2, 4, 5, 180]),
      ([253, 3, 1, 1, 1, 1, 1, 1], [253, 3, 1, 2, 4, 5, 180, 1]),
      ([], nil), ([1, 3, 3, 7], nil), ([3, 3, 7, 0], nil), ([4, 2, 0, 0], nil), ([1, 1, 1, 3, 3, 7, 1, 1], nil),
      ([2, 4, 2, 0, 1, 1, 1, 1], nil), ([3, 4, 1, 1, 1, 1, 1, 1], nil), ([1, 1, 1, 253, 9, 1, 1, 1], nil),
      ([253, 8, 1, 1, 1, 1, 1, 1], nil),
    ] as [([UInt8], [UInt8]?)])
  func padding(options: [UInt8], wanted: [UInt8]?) throws {
    for version in [4, 6] {
      var frame = FrameSpecification()
      (frame.ipVersion, frame.tcpOptions, frame.payload) = (version, options, [7])
      try ParsedFrame.with(frame.encode()) { parsed in
        let patch = TCPHeaderPatch(parsed.head, parsed.segment, checksumIsPartial: false)
        #expect(patch.addMaximumSegmentSize(1460) == (wanted != nil))
        frame.tcpOptions = wanted ?? options
        #expect(parsed.head.bytes == frame.encode())
        let after = try parsed.again()
        #expect(wanted == nil || after.options.maximumSegmentSize == 1460)
      }
      frame.tcpOptions = options
      try ParsedFrame.with(frame.encode()) { parsed in
        let field = frame.transportOffset + 16..<frame.transportOffset + 18
        let before = parsed.head.bytes[field]
        TCPHeaderPatch(parsed.head, parsed.segment, checksumIsPartial: true).addMaximumSegmentSize(1460)
        #expect(parsed.head.bytes[field] == before)
      }
    }
  }
}
