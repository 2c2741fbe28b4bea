// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling
import Timekeeping
import Wire

/// What it takes to read, change and write the headers of a TCP segment: one of 1448 bytes with timestamps over IPv4,
/// the least of many repetitions.
enum HeaderTime {
  private static let repetitions = 50
  /// Different heads, so that no branch is learnt from one alone; all in the first cache.
  private static let heads = 64
  private static let rounds = 200
  private static let payload = 1448

  static func run() throws {
    let memory = ByteRegion.allocate(count: heads * FrameLayout.recommendedHeaderBytes)
    defer { memory.deallocate() }
    let room = ByteRegion.allocate(count: SegmentTemplate.maximumHeaderLength)
    defer { room.deallocate() }
    for index in 0..<heads { SampleFrame.writeSegment(index, payload: payload, to: head(memory, index)) }
    let first = head(memory, 0)
    guard let layout = FrameLayout(parsing: first, frameLength: frameLength),
      let segment = segment(first, layout)
    else { throw BenchError("the sample segment is none") }
    Log.output(Table.row("TCP headers", ["ns each"]))
    measure("layout found", memory) { head, _ in
      FrameLayout(parsing: head, frameLength: frameLength)?.payloadOffset ?? 0
    }
    measure("segment read, its layout known", memory) { head, _ in self.segment(head, layout)?.payloadCount ?? 0 }
    measure("acknowledgment, window, timestamp echo changed", memory) { head, turn in
      let patch = TCPHeaderPatch(head, segment, checksumIsPartial: false)
      patch.setAcknowledgmentNumber(SequenceNumber(rawValue: UInt32(truncatingIfNeeded: turn)))
      patch.setWindow(UInt16(truncatingIfNeeded: turn))
      patch.setTimestampEcho(UInt32(truncatingIfNeeded: turn))
      return 0
    }
    let template = SegmentTemplate(copying: first, layout, segment)
    let source = Endpoint(sourceOf: segment, in: first, layout)
    let destination = Endpoint(destinationOf: segment, in: first, layout)
    measure("written from a template", memory) { _, turn in
      let fields = SegmentFields(
        sequenceNumber: SequenceNumber(rawValue: UInt32(truncatingIfNeeded: turn)),
        acknowledgmentNumber: segment.sequenceNumber, flags: .ack, window: 100, payloadCount: payload,
        timestamps: TCPTimestamps(value: 1, echo: 2))
      return template.write(into: room, from: source, to: destination, fields).length
    }
  }

  private static var frameLength: Int { SampleFrame.segmentHeaderLength + payload }

  private static func head(_ memory: ByteRegion, _ index: Int) -> ByteRegion {
    memory.slice(from: index * FrameLayout.recommendedHeaderBytes, count: FrameLayout.recommendedHeaderBytes)
  }

  private static func segment(_ head: ByteRegion, _ layout: FrameLayout) -> TCPSegment? {
    TCPSegment(parsing: head, layout: layout, frameLength: frameLength, isLarge: false)
  }

  /// `body` gets a head and a number that is another each time. What it returns is added up, so that it has to be known.
  @inline(__always)
  private static func measure(_ title: String, _ memory: ByteRegion, _ body: (ByteRegion, Int) -> Int) {
    var least = Int64.max
    var sum = 0
    for _ in 0..<repetitions {
      let start = MonotonicClock.now()
      for round in 0..<rounds {
        for index in 0..<heads { sum &+= body(head(memory, index), round &* heads &+ index) }
      }
      least = min(least, (MonotonicClock.now() - start).nanoseconds)
    }
    // Never so; but the compiler does not know.
    let note = sum == Int.min ? " ?" : ""
    Log.output(Table.row(title + note, [Table.decimal(Double(least) / Double(rounds * heads))]))
  }
}
