// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Testing
import Wire

/// A test frame in memory of its own, with what was parsed from it.
struct ParsedFrame {
  let head: ByteRegion
  let layout: FrameLayout
  let segment: TCPSegment

  static func with<Result>(
    _ bytes: [UInt8], isLarge: Bool = false, _ body: (ParsedFrame) throws -> Result
  ) throws -> Result {
    try ByteRegion.with(bytes) { head in
      let layout = try #require(FrameLayout(parsing: head, frameLength: head.count))
      let segment = try #require(
        TCPSegment(parsing: head, layout: layout, frameLength: head.count, isLarge: isLarge))
      return try body(ParsedFrame(head: head, layout: layout, segment: segment))
    }
  }

  /// The segment as the frame has it now.
  func again() throws -> TCPSegment {
    try #require(TCPSegment(parsing: head, layout: layout, frameLength: head.count, isLarge: false))
  }

  static func segment(_ bytes: [UInt8], isLarge: Bool = false) -> TCPSegment? {
    ByteRegion.with(bytes) { head in
      guard let layout = FrameLayout(parsing: head, frameLength: head.count) else { return nil }
      return TCPSegment(parsing: head, layout: layout, frameLength: head.count, isLarge: isLarge)
    }
  }
}

extension FrameSpecification {
  /// TCP of any shape, its options well formed.
  static func randomSegment(payloadLength: Int, using generator: inout SplitMix64) -> FrameSpecification {
    var frame = random(payloadLength: payloadLength, using: &generator)
    frame.transport = .tcp
    frame.control = .random(in: 0...255, using: &generator)
    frame.acknowledgmentNumber = .random(in: 0...UInt32.max, using: &generator)
    frame.tcpOptions = RandomOptions.make(using: &generator)
    return frame
  }

  /// Whether the TCP checksum in `bytes`, which has this frame's addresses, is right.
  func isChecksumValid(_ bytes: [UInt8]) -> Bool {
    NaiveChecksum.sum(checksummedBytes(Array(bytes[transportOffset...]))) == 0xffff
  }
}
