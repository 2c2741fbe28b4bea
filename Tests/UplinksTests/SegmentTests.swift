// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Polling
import TestSupport
import Testing
import Timekeeping
import Uplinks
import Wire

@Suite(
  "Segments of our own making: the kernel takes their headers for right",
  .enabled(if: PrivateNetwork.isAvailable, "needs root and /dev/net/tun"))
struct SegmentTests {
  private static func demand(_ condition: Bool, _ what: @autoclosure () -> String, line: Int = #line) throws {
    try PrivateNetwork.demand(condition, what(), line: line)
  }

  private struct Frame {
    var bytes: [UInt8]
    let checksumStart: Int

    /// As an uplink takes it, its checksum still to be completed.
    var partial: [UInt8] {
      ByteRegion.with([UInt8](repeating: 0, count: VirtioNetHeader.length)) { region in
        var header = VirtioNetHeader()
        header.flags = .needsChecksum
        header.checksumStart = UInt16(checksumStart)
        header.checksumOffset = UInt16(TCPField.checksum)
        header.encode(into: region)
        return region.bytes + bytes
      }
    }

    /// With the checksum that the partial one stands for, plus `error`.
    func completed(error: UInt16 = 0) -> [UInt8] {
      let checksum = NaiveChecksum.checksum(Array(bytes[checksumStart...])) &+ error
      var whole = bytes
      let field = checksumStart + TCPField.checksum
      whole.replaceSubrange(field..<field + 2, with: [UInt8(checksum >> 8), UInt8(checksum & 0xff)])
      return TestFrame.emptyHeader + whole
    }
  }

  private static func parse<Result>(
    _ bytes: [UInt8], _ body: (ByteRegion, FrameLayout, TCPSegment) throws -> Result
  ) throws -> Result? {
    try ByteRegion.with(bytes) { head in
      guard let layout = FrameLayout(parsing: head, frameLength: head.count),
        let segment = TCPSegment(parsing: head, layout: layout, frameLength: head.count, isLarge: false)
      else { return nil }
      return try body(head, layout, segment)
    }
  }

  /// A segment in the name of the sender of `original`.
  private static func write(_ original: [UInt8], _ fields: SegmentFields) throws -> Frame {
    let frame = try parse(original) { head, layout, segment in
      let room = ByteRegion.allocate(count: SegmentTemplate.maximumHeaderLength)
      defer { room.deallocate() }
      let written = SegmentTemplate(copying: head, layout, segment).write(
        into: room, from: Endpoint(sourceOf: segment, in: head, layout),
        to: Endpoint(destinationOf: segment, in: head, layout), fields)
      let payload = (0..<fields.payloadCount).map { UInt8(truncatingIfNeeded: $0) }
      return Frame(
        bytes: Array(room.bytes[..<written.length]) + payload, checksumStart: written.checksumStart)
    }
    guard let frame else { throw PrivateNetwork.Failure(description: "no segment to copy") }
    return frame
  }

  private static func fields(_ sequenceNumber: UInt32, _ flags: TCPFlags) -> SegmentFields {
    SegmentFields(
      sequenceNumber: SequenceNumber(rawValue: sequenceNumber), acknowledgmentNumber: SequenceNumber(rawValue: 0),
      flags: flags, window: 1000, timestamps: TCPTimestamps(value: 7, echo: 0))
  }

  private static func isValid(_ head: ByteRegion, _ layout: FrameLayout, _ segment: TCPSegment) -> Bool {
    var checksum = TransportChecksum(head, layout, segment)
    checksum.add(head.suffix(from: segment.payloadOffset))
    return checksum.isValid
  }

  /// The TCP segments that the kernel sends within `timeout` of each other.
  private static func replies(_ tap: UplinkUser, timeout: Interval) throws -> [TCPSegment] {
    let poller = try Poller(maximumEvents: 1)
    if let fd = tap.uplink.descriptor(queue: 0) { try poller.add(fd, .readable, token: 0) }
    var result: [TCPSegment] = []
    while result.count < 100, poller.wait(timeout: timeout) > 0 {
      while let frame = tap.receive() {
        let segment = try parse(Array(frame[VirtioNetHeader.length...])) { head, layout, segment in
          try demand(isValid(head, layout, segment), "the kernel's own checksum is not valid to us: \(segment)")
          return segment
        }
        if let segment { result.append(segment) }
      }
    }
    return result
  }

  @Test(arguments: [4, 6])
  func aWrittenSYNIsAnsweredAndOneWithAWrongChecksumIsNot(version: Int) throws {
    try PrivateNetwork.run {
      let tap = try UplinkUser("tap:vt0")
      try Self.demand(tap.uplink.setReceiveOffloads([]) == [], "whole checksums")
      // What FrameSpecification's frames go to, and come from.
      try PrivateNetwork.command("echo 0 > /proc/sys/net/ipv6/conf/vt0/disable_ipv6")
      try PrivateNetwork.command("ip link set vt0 address 52:54:00:00:00:02")
      try PrivateNetwork.command("ip address add 198.51.100.2/24 dev vt0 && ip route add 192.0.2.0/24 dev vt0")
      try PrivateNetwork.command("ip address add 2001:db8::c633:6402/64 dev vt0 nodad")
      for address in ["192.0.2.1", "2001:db8::c000:201"] {
        try PrivateNetwork.command("ip neighbour replace \(address) lladdr 52:54:00:00:00:01 dev vt0")
      }
      var original = FrameSpecification()
      original.ipVersion = version
      let wrong = try Self.write(original.encode(), Self.fields(1000, .syn)).completed(error: 1)
      let right = try Self.write(original.encode(), Self.fields(2000, .syn)).completed()
      for _ in 0..<60 {
        try Self.demand(tap.send([wrong, right]).accepted == 2, "sent")
        let answers = try Self.replies(tap, timeout: .milliseconds(50))
        guard !answers.isEmpty else { continue }
        for answer in answers {
          // Nobody listens: a reset, which acknowledges the SYN (RFC 9293 §3.10.7.1).
          try Self.demand(answer.flags == [.rst, .ack], "\(answer)")
          try Self.demand(answer.acknowledgmentNumber.rawValue == 2001, "\(answer)")
        }
        return
      }
      throw PrivateNetwork.Failure(description: "no answer")
    }
  }

  @Test(arguments: [4, 6])
  func aPartialChecksumIsCompletedToARightOneEvenAfterAPatch(version: Int) throws {
    try PrivateNetwork.run {
      let tap = try UplinkUser("tap:vt0")
      let host = try UplinkUser("packet:vt0")
      try Self.demand(tap.uplink.setReceiveOffloads([]) == [], "whole checksums")
      var original = FrameSpecification()
      original.ipVersion = version
      var bytes = original.encode()
      bytes.replaceSubrange(6..<12, with: TestFrame.source)
      var fields = Self.fields(1000, .ack)
      fields.payloadCount = 333
      fields.sackBlocks.append(SequenceRange(start: SequenceNumber(rawValue: 5), count: 7))
      var frame = try Self.write(bytes, fields)
      let patched = try Self.parse(frame.bytes) { head, _, segment in
        let patch = TCPHeaderPatch(head, segment, checksumIsPartial: true)
        patch.setAcknowledgmentNumber(SequenceNumber(rawValue: 0xfeed_f00d))
        patch.setTimestampEcho(99)
        patch.setSACKBlocks(SACKBlocks())
        return head.bytes
      }
      frame.bytes = patched ?? []
      for whole in try host.exchange(frame.partial, with: tap) {
        let count = try Self.parse(Array(whole[VirtioNetHeader.length...])) { head, layout, segment in
          try Self.demand(whole[0] & 1 == 0, "completed")
          try Self.demand(Self.isValid(head, layout, segment), "\(segment)")
          try Self.demand(segment.acknowledgmentNumber.rawValue == 0xfeed_f00d, "\(segment)")
          try Self.demand(segment.options.kinds == .timestamps && segment.options.timestampEcho == 99, "\(segment)")
          return segment.payloadCount
        }
        try Self.demand(count == 333, "a segment of \(String(describing: count)) octets")
      }
    }
  }
}
