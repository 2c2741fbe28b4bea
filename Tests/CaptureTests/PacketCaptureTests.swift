// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Testing
import Timekeeping
import Wire

@testable import Capture

@Suite struct PacketCaptureTests {
  private static func bytes(_ payload: Int, _ transport: FrameSpecification.Transport = .tcp) -> [UInt8] {
    var frame = FrameSpecification()
    frame.transport = transport
    frame.payload = (0..<payload).map { UInt8(truncatingIfNeeded: $0) }
    return frame.encode()
  }

  @Test("What is read is what was seen: leg, way, time, octets and what was said")
  func roundTrip() throws {
    let rig = CaptureRig()
    let (one, two) = (Self.bytes(1000), Self.bytes(3))
    rig.show(one, CapturePoint(.guest, .inbound), "held: 1000 octets", at: 5)
    rig.show(two, CapturePoint(.network, .outbound), at: 1_000_000_007)
    let packets = try rig.packets()
    #expect(packets.map(\.bytes) == [one, two])
    #expect(packets.map(\.length) == [one.count, two.count])
    #expect(packets.map(\.interfaceName) == ["guest", "network"])
    #expect(packets.map(\.direction) == [.inbound, .outbound])
    #expect(packets.map(\.comment) == ["held: 1000 octets", ""])
    #expect(packets.map { $0.time - UInt64(CaptureRig.wallClock) } == [5, 1_000_000_007])
  }

  @Test("No more of a frame is copied than is asked for", arguments: [14, 60, 300, 1400, 262_144])
  func snapLength(count: Int) throws {
    let rig = CaptureRig(snapLength: .bytes(count))
    let bytes = Self.bytes(1400)
    rig.show(bytes)
    let packet = try #require(try rig.packets().first)
    #expect(packet.bytes == Array(bytes.prefix(count)) && packet.length == bytes.count)
  }

  @Test("Of headers only, nothing of a payload is copied", arguments: [FrameSpecification.Transport.tcp, .udp])
  func headersOnly(transport: FrameSpecification.Transport) throws {
    let rig = CaptureRig(snapLength: .headers)
    let bytes = Self.bytes(500, transport)
    rig.show(bytes)
    let packet = try #require(try rig.packets().first)
    #expect(packet.bytes == Array(bytes.dropLast(500)) && packet.length == bytes.count)
  }

  @Test("Who takes nothing misses frames, and is told how many; what was there before stays whole")
  func missing() throws {
    let rig = CaptureRig()
    let bytes = Self.bytes(1400)
    let count = 2 * PacketCapture.memoryBytes / bytes.count
    for _ in 0..<count { rig.show(bytes) }
    #expect(rig.capture.acceptedCount == UInt64(count) && rig.capture.missedCount > UInt64(count / 3))
    var reader = PcapngReader()
    let first = try rig.packets(&reader)
    #expect(first.count + Int(rig.capture.missedCount) == count && first.allSatisfy { $0.bytes == bytes })
    let missed = rig.capture.missedCount
    rig.show(bytes)
    #expect(try rig.packets(&reader).map(\.missedBefore) == [missed])
    #expect(rig.capture.finish(now: .init(nanoseconds: 1)))
    #expect(try rig.packets(&reader).isEmpty && reader.hasStatistics && reader.missed == missed)
  }

  @Test("Taken in pieces of any size, the octets are the same", arguments: [1, 7, 64, 4096, 1 << 20])
  func pieces(size: Int) throws {
    let rig = CaptureRig(snapLength: .bytes(200))
    var random = SplitMix64(seed: UInt64(size))
    var reader = PcapngReader()
    var found = 0
    let bytes = Self.bytes(1400)
    // More than the memory holds, so that it goes round.
    for round in 0..<30_000 {
      rig.show(bytes, CapturePoint(.guest, .inbound), "\(round)")
      guard random.next() % 64 == 0 else { continue }
      while case let waiting = rig.capture.waiting(), waiting.count > 0 {
        let piece = waiting.slice(from: 0, count: min(max(size, 64), waiting.count)).bytes
        rig.capture.take(piece.count)
        reader.take(piece)
        while let packet = try reader.next() {
          #expect(packet.comment == "\(found)")
          found += 1
        }
      }
    }
    #expect(rig.capture.missedCount == 0 && found > 29_000)
  }

  @Test("After as many as were wanted no more are shown")
  func limit() throws {
    let rig = CaptureRig(limit: 3)
    for place in 0..<5 {
      #expect(rig.capture.isDone == (place >= 3))
      rig.show(Self.bytes(place))
    }
    #expect(try rig.packets().count == 3)
  }

  @Test("What is said is cut where there is no room for more of it")
  func longComment() throws {
    let rig = CaptureRig()
    rig.show(Self.bytes(1), CapturePoint(.guest, .inbound), String(repeating: "x", count: 240))
    rig.show(Self.bytes(1), CapturePoint(.guest, .inbound), String(repeating: "x", count: 241))
    #expect(try rig.packets().map(\.comment.utf8.count) == [240, 0])
  }

  @Test("Numbers are said in decimal digits", arguments: [0, 9, 10, 1448, -1, -20, Int.max, Int.min])
  func numbers(number: Int) {
    var comment = CaptureComment()
    defer { comment.deallocate() }
    comment.add(Array("n ".utf8))
    comment.append(number)
    #expect(String(decoding: comment.text.bytes, as: UTF8.self) == "n \(number)")
  }
}
