// SPDX-License-Identifier: Apache-2.0

import Arena
import FrameSupport
import Memory
import Packets
import Testing
import Wire

@testable import VTCP

@Suite("Packet buffer: a stream's octets in order, in chunks")
struct PacketBufferTests {
  private let memory = ByteRegion.allocate(count: ChunkPool.byteCount(limit: 12), alignment: ChunkPool.alignment)
  private let scratch = ByteRegion.allocate(count: 64)
  private let vectors = RecordBuffer<IOVector>(capacity: 32, repeating: .none)

  private func deallocate() {
    memory.deallocate()
    scratch.deallocate()
    vectors.deallocate()
  }

  /// That of some segment; what it comes to is not looked at here.
  private func anyChecksum() throws -> TransportChecksum {
    let head = ByteRegion.allocate(count: 54)
    defer { head.deallocate() }
    head.storeNetworkOrder(0x0800 as UInt16, at: 12)
    head.storeNetworkOrder(0x4500_0028 as UInt32, at: 14)
    head.store(UInt8(6), at: 23)
    head.store(UInt8(0x50), at: 46)
    let layout = try #require(FrameLayout(parsing: head, frameLength: 54))
    let segment = try #require(TCPSegment(parsing: head, layout: layout, frameLength: 54, isLarge: false))
    return TransportChecksum(head, layout, segment)
  }

  /// Octets whose values are their places in the stream, from a place on.
  private func withOctets(
    _ count: Int, at place: Int, _ body: (inout PayloadCursor, inout TransportChecksum) -> Bool
  ) throws -> Bool {
    let region = ByteRegion.allocate(count: max(count, 1))
    defer { region.deallocate() }
    for index in 0..<count { region.store(UInt8(truncatingIfNeeded: (place + index) &* 7), at: index) }
    let frame = PassingFrame(
      head: region.slice(from: 0, count: count), length: count, vectors: vectors, firstVector: 0, vectorsEnd: 0)
    var cursor = PayloadCursor(frame, from: 0)
    var checksum = try anyChecksum()
    return body(&cursor, &checksum)
  }

  private func append(_ count: Int, _ buffer: inout PacketBuffer, from place: Int, in pool: ChunkPool) throws -> Bool {
    try withOctets(count, at: place) {
      buffer.append(&$0, skipping: 0, count: count, checksum: &$1, sums: true, scratch: scratch, in: pool)
    }
  }

  @Test("What was appended is what is gathered, through any appends, releases and truncations", arguments: 0..<20)
  func model(seed: Int) throws {
    let pool = try ChunkPool(over: memory, limit: 12, creating: true)
    defer { deallocate() }
    var random = SplitMix64(seed: UInt64(seed))
    // Near the wrap, and near the middle.
    let first = SequenceNumber(rawValue: seed % 2 == 0 ? .max - 3000 : 1 << 31 - 3000)
    var buffer = PacketBuffer(at: first)
    var start = 0
    var end = 0
    for _ in 0..<2000 {
      switch random.next() % 4 {
      case 0, 1:
        let count = Int(random.next() % 9000) + 1
        let before = pool.inUse
        if try append(count, &buffer, from: end, in: pool) { end += count } else { #expect(pool.inUse == before) }
      case 2:
        start += Int(random.next() % UInt64(end - start + 1))
        buffer.release(to: first + start, in: pool)
      default:
        end -= Int(random.next() % UInt64(end - start + 1)) / 3
        buffer.truncate(to: end - start, in: pool)
      }
      #expect(buffer.start == first + start)
      #expect(buffer.count == end - start)
      #expect(pool.inUse <= (end - start + 4095) / 4096 + 1)
      guard end > start else {
        #expect(pool.inUse == 0)
        continue
      }
      let from = start + Int(random.next() % UInt64(end - start))
      let to = from + Int(random.next() % UInt64(end - from + 1))
      let gathered = buffer.gather(
        SequenceRange(start: first + from, end: first + to), into: vectors, at: 0, in: pool)
      let last = try #require(gathered)
      var place = from
      for vector in 0..<last {
        for byte in vectors[vector].region?.bytes ?? [] {
          guard byte == UInt8(truncatingIfNeeded: place &* 7) else {
            Issue.record("octet \(place) is wrong")
            return
          }
          place += 1
        }
      }
      #expect(place == to)
    }
    buffer.releaseAll(in: pool)
    #expect(pool.inUse == 0)
  }

  private func store(
    _ count: Int, at place: Int, _ buffer: inout PacketBuffer, _ first: SequenceNumber, in pool: ChunkPool
  ) throws -> Bool {
    try withOctets(count, at: place) {
      buffer.store(&$0, at: first + place, count: count, checksum: &$1, sums: true, in: pool)
    }
  }

  private func isRight(_ buffer: inout PacketBuffer, _ first: SequenceNumber, _ places: Range<Int>, in pool: ChunkPool)
    -> Bool
  {
    let range = SequenceRange(start: first + places.lowerBound, end: first + places.upperBound)
    guard let last = buffer.gather(range, into: vectors, at: 0, in: pool) else { return false }
    let bytes = (0..<last).flatMap { vectors[$0].region?.bytes ?? [] }
    return bytes == places.map { UInt8(truncatingIfNeeded: $0 &* 7) }
  }

  @Test("What came ahead of its turn is there when its turn comes, wherever chunks begin and end", arguments: 0..<8)
  func later(seed: Int) throws {
    let pool = try ChunkPool(over: memory, limit: 12, creating: true)
    defer { deallocate() }
    var random = SplitMix64(seed: UInt64(seed) + 100)
    let first = SequenceNumber(rawValue: seed % 2 == 0 ? .max - 30_000 : 1 << 31 - 30_000)
    var buffer = PacketBuffer(at: first)
    var start = 0
    var end = 0
    /// Runs behind the end, perhaps over each other.
    var stored: [Range<Int>] = []
    for _ in 0..<600 {
      switch random.next() % 8 {
      case 0, 1, 2:
        let from = end + 1 + Int(random.next() % 6000)
        let count = Int(random.next() % 3000) + 1
        if try store(count, at: from, &buffer, first, in: pool) { stored.append(from..<from + count) }
      case 3, 4, 5:
        let count = Int(random.next() % (random.next() % 2 == 0 ? 100 : 7000)) + 1
        if try append(count, &buffer, from: end, in: pool) { end += count }
        while let run = stored.first(where: { $0.lowerBound <= end && $0.upperBound > end }) {
          buffer.extend(to: first + run.upperBound, in: pool)
          end = run.upperBound
        }
        stored.removeAll { $0.upperBound <= end }
      case 6:
        start += Int(random.next() % UInt64(end - start + 1))
        if random.next() % 3 == 0 { start = end }
        buffer.release(to: first + start, in: pool)
      default:
        guard random.next() % 8 == 0 else { break }
        end -= Int(random.next() % UInt64(end - start + 1)) / 3
        buffer.truncate(to: end - start, in: pool)
        stored = []
      }
      #expect(buffer.start == first + start && buffer.end == first + end)
      #expect(buffer.hasLater == !stored.isEmpty)
      #expect(buffer.laterEnd == first + max(end, stored.map(\.upperBound).max() ?? end))
      #expect(isRight(&buffer, first, start..<end, in: pool))
      if end == start, stored.isEmpty { #expect(pool.inUse == 0) }
    }
    buffer.releaseAll(in: pool)
    #expect(pool.inUse == 0)
  }
}
