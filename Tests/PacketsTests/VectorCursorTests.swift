// SPDX-License-Identifier: Apache-2.0

import Memory
import Packets
import Testing

@Suite("Vector cursor: bytes in order, however the memory is cut")
struct VectorCursorTests {
  /// 12 bytes, 1...12, cut into vectors of these lengths.
  private static let cuts: [[Int]] = [
    [12], [1, 11], [11, 1], [4, 4, 4], [0, 5, 0, 0, 7, 0], Array(repeating: 1, count: 12),
  ]

  private final class Scattered {
    let bytes = ByteRegion.allocate(count: 12)
    let vectors: RecordBuffer<IOVector>

    init(_ lengths: [Int]) {
      vectors = RecordBuffer(capacity: lengths.count, repeating: .none)
      bytes.copy(from: Array(1...12))
      var offset = 0
      for (index, length) in lengths.enumerated() {
        vectors[index] = IOVector(bytes.slice(from: offset, count: length))
        offset += length
      }
    }

    deinit {
      bytes.deallocate()
      vectors.deallocate()
    }

    var cursor: VectorCursor { VectorCursor(vectors, first: 0, end: vectors.capacity) }
  }

  @Test(arguments: cuts, 0...13)
  func skippedAndReadBytesAreThoseThatFollow(cut: [Int], skipped: Int) {
    let scattered = Scattered(cut)
    let target = ByteRegion.allocate(count: 5)
    defer { target.deallocate() }
    var cursor = scattered.cursor
    cursor.skip(skipped)
    let rest = Array(Array<UInt8>(1...12).dropFirst(skipped))
    let count = cursor.read(into: target)
    #expect(count == min(5, rest.count))
    #expect(Array(target.bytes.prefix(count)) == Array(rest.prefix(5)))
    let second = cursor.read(into: target)
    #expect(Array(target.bytes.prefix(second)) == Array(rest.dropFirst(5).prefix(5)))
  }

  @Test(arguments: cuts, 0...12)
  func writtenBytesLieWhereTheyWouldBeRead(cut: [Int], skipped: Int) {
    let scattered = Scattered(cut)
    let source = ByteRegion.allocate(count: 4)
    defer { source.deallocate() }
    source.fill(with: 99)
    var cursor = scattered.cursor
    cursor.skip(skipped)
    let count = cursor.write(source)
    #expect(count == min(4, 12 - skipped))
    let expected = (0..<12).map { $0 >= skipped && $0 < skipped + 4 ? 99 : UInt8($0 + 1) }
    #expect(scattered.bytes.bytes == expected)
  }

  @Test(arguments: cuts, 0...12)
  func gatheredVectorsHoldTheBytesThatFollow(cut: [Int], skipped: Int) {
    for wanted in 0...13 - skipped {
      let scattered = Scattered(cut)
      let target = RecordBuffer<IOVector>(capacity: 16, repeating: .none)
      defer { target.deallocate() }
      var cursor = scattered.cursor
      cursor.skip(skipped)
      let end = cursor.gather(wanted, into: target, at: 2)
      guard wanted <= 12 - skipped else {
        #expect(end == nil)
        continue
      }
      let bytes = (2..<(end ?? 2)).flatMap { target[$0].region?.bytes ?? [] }
      #expect(bytes == Array(Array<UInt8>(1...12)[skipped..<skipped + wanted]))
    }
  }

  @Test func gatheringStopsWhereTheTargetEnds() {
    let scattered = Scattered(Array(repeating: 1, count: 12))
    let target = RecordBuffer<IOVector>(capacity: 4, repeating: .none)
    defer { target.deallocate() }
    var cursor = scattered.cursor
    #expect(cursor.gather(5, into: target, at: 0) == nil)
    cursor = scattered.cursor
    #expect(cursor.gather(4, into: target, at: 0) == 4)
  }
}
