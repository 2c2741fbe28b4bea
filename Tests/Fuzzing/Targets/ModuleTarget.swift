// SPDX-License-Identifier: Apache-2.0

import Memory
import VTCP
import Wire

/// Input: the configuration (12 octets, see `ModuleStage.configuration`), then steps: a number (its low four bits count) and what
/// the step takes.
///
///      0-7  a segment          who and what (1): bit 0 from the network, 1-2 connection, 3 IPv6, 4 timestamps, 5 its numbers are the sender's
///                              next ones, 6 the leg to which it goes has no room, 7 options of its own; flags (1); how far the sequence and
///                              the acknowledgment number are from the next ones of both ends (2 each); window (2); payload (1: 12 or,
///                              from 128 on, 508 octets each); with bit 7 a count (1) and so many octets of options
///      8  three segments of a handshake   as above (1), MSS (2), window scales (1), options that are there (1)
///      9  time goes on         a number (2), its unit (1): 1 us to 1 s; then what is due is done
///      10 a leg takes frames   which (1), how many (1), which of them it takes after all (1), largest (2)
///      11 a frame as it is     where it comes from (1), length (1), octets
///      12 quiescing begins or ends; from 16 on (bit 4 of the step) another policy: a configuration (12), algorithm and mode (1: bits 0-3 and
///         4-5), rates (1: four bits each way), headers (2: segment size 2 bits, clamp 3, ECN 2, options 5)
///      13 the guest is gone
///      14 another process goes on
///      15 a segment as above that reports four blocks: their places, relative to the other's next number (2 each), follow
///
/// Holds: what the module emits is a whole segment, of octets that its sender sent at those places; no leg gets frames without end, and time
/// brings no work without end; when nobody says anything any more, nothing stays owned.
enum ModuleTarget {
  static func run(_ input: consuming InputReader) throws {
    let stage = try ModuleStage(&input)
    defer { stage.deallocate() }
    for _ in 0..<400 where !input.isAtEnd { try step(stage, &input) }
    try stage.finish()
  }

  private static func step(_ stage: ModuleStage, _ input: inout InputReader) throws {
    let octet = input.byte()
    let step = octet & 15
    switch step {
    case 8: try handshake(stage, &input)
    case 9:
      let count = Int64(input.u16())
      let unit: [Int64] = [1000, 50_000, 1_000_000, 1_000_000_000]
      try stage.pass(count * unit[Int(input.byte() & 3)])
    case 10:
      let fromNetwork = input.byte() & 1 == 0
      let count = Int(input.byte())
      let taken = input.byte()
      try stage.take(fromNetwork ? .guest : .network, count, taken, largest: Int(input.u16()))
    case 11:
      let fromNetwork = input.byte() & 1 == 1
      stage.arrive(raw: input.bytes(Int(input.byte())), fromNetwork: fromNetwork)
    case 12 where octet & 16 != 0: try stage.adopt(&input)
    case 12: stage.quiesce()
    case 13: stage.guestIsGone()
    case 14: try stage.takeOver()
    default:
      var segment = segment(&input)
      if step == 15 {
        let next = stage.next(segment.end.other)
        segment.options += [1, 1, 5, 34]
        for _ in 0..<8 {
          segment.options += FuzzedSegment.word(next &+ UInt32(truncatingIfNeeded: Int16(bitPattern: input.u16())))
        }
      }
      stage.arrive(segment)
    }
  }

  private static func segment(_ input: inout InputReader) -> FuzzedSegment {
    let what = input.byte()
    var segment = FuzzedSegment(FuzzedEnd(what))
    segment.flags = input.byte()
    segment.hasTimestamps = what & 16 != 0
    segment.hasNoRoom = what & 64 != 0
    segment.sequenceOffset = Int16(bitPattern: input.u16())
    segment.acknowledgmentOffset = Int16(bitPattern: input.u16())
    if what & 32 != 0 { (segment.sequenceOffset, segment.acknowledgmentOffset) = (0, 0) }
    segment.window = input.u16()
    let size = Int(input.byte())
    segment.payloadCount = size < 128 ? size * 12 : (size - 127) * 508
    if what & 128 != 0 {
      // In words of four.
      let count = Int(input.byte()) % 41 / 4 * 4
      let octets = input.bytes(count).bytes
      segment.options = octets + [UInt8](repeating: 0, count: count - octets.count)
    }
    return segment
  }

  private static func handshake(_ stage: ModuleStage, _ input: inout InputReader) throws {
    let what = input.byte()
    let maximum = input.u16()
    let scales = input.byte()
    let which = input.byte()
    let opener = FuzzedEnd(what)
    for (end, flags) in [(opener, 2), (opener.other, 18), (opener, 16)] as [(FuzzedEnd, UInt8)] {
      var segment = FuzzedSegment(end)
      segment.flags = flags
      segment.window = 0xffff
      segment.hasTimestamps = which & 1 != 0
      if flags & 2 != 0 {
        segment.options += [2, 4, UInt8(maximum >> 8), UInt8(maximum & 255)]
        if which & 2 != 0 { segment.options += [1, 3, 3, end.isNetwork ? scales >> 4 : scales & 15] }
        if which & 4 != 0 { segment.options += [1, 1, 4, 2] }
      }
      stage.arrive(segment)
    }
  }
}
