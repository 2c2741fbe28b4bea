// SPDX-License-Identifier: Apache-2.0

import Arena
import Memory
import Testing

@Suite("Chunk pool: pages of payload in given memory")
struct ChunkPoolTests {
  private func withMemory(_ limit: Int, _ body: (ByteRegion) throws -> Void) rethrows {
    let region = ByteRegion.allocate(count: ChunkPool.byteCount(limit: limit), alignment: ChunkPool.alignment)
    defer { region.deallocate() }
    try body(region)
  }

  @Test func payloadOfAChunkIsAPageOfItsOwn() throws {
    try withMemory(5) { region in
      let pool = try ChunkPool(over: region, limit: 5, creating: true)
      let chunks = (0..<5).compactMap { _ in pool.allocate() }
      #expect(pool.allocate() == nil)
      for chunk in chunks {
        let payload = pool.region(of: chunk)
        #expect(payload.count == 4096 && payload.isAligned(to: 4096))
        #expect(payload.bytes.allSatisfy { $0 == 0 })
        payload.fill(with: UInt8(chunk.rawValue))
      }
      for chunk in chunks {
        #expect(pool.region(of: chunk).bytes.allSatisfy { $0 == UInt8(chunk.rawValue) })
        #expect(pool[chunk].next.isNone && pool[chunk].mark == 0)
      }
    }
  }

  @Test func listsOfChunksOutliveTheProcess() throws {
    try withMemory(8) { region in
      let first = try ChunkPool(over: region, limit: 8, creating: true)
      let chunks = (0..<6).compactMap { _ in first.allocate() }
      first.free(chunks[0])
      for (chunk, next) in zip(chunks[1...], chunks[2...]) { first[chunk].next = next }
      first[chunks[1]].mark = 77
      first.region(of: chunks[5]).store(UInt64.max, at: 4088)

      let second = try ChunkPool(over: region, limit: 8, creating: false)
      #expect(second.inUse == 5)
      var walked: [RecordIndex] = []
      var chunk = chunks[1]
      while !chunk.isNone {
        walked.append(chunk)
        chunk = second[chunk].next
      }
      #expect(walked == Array(chunks[1...]))
      #expect(second[chunks[1]].mark == 77)
      #expect(second.region(of: chunks[5]).load(UInt64.self, at: 4088) == .max)
    }
  }

  @Test func chunkThatIsGivenOutAgainHasAnEmptyLink() throws {
    try withMemory(2) { region in
      let pool = try ChunkPool(over: region, limit: 2, creating: true)
      let chunk = try #require(pool.allocate())
      pool[chunk] = ChunkLink(next: chunk, mark: 9)
      pool.free(chunk)
      #expect(!pool.isInUse(chunk))
      #expect(pool.allocate() == chunk)
      #expect(pool[chunk].next.isNone && pool[chunk].mark == 0)
    }
  }

  @Test func memoryThatIsTooSmallOrNotAlignedIsRefused() {
    withMemory(4) { region in
      #expect(throws: ArenaError.tooSmall(has: region.count, needs: ChunkPool.byteCount(limit: 5))) {
        _ = try ChunkPool(over: region, limit: 5, creating: true)
      }
      #expect(throws: ArenaError.notAligned(to: 4096)) {
        _ = try ChunkPool(over: region.suffix(from: 64), limit: 3, creating: true)
      }
    }
  }

  @Test func emptyMemoryIsNoPool() {
    withMemory(4) { region in
      #expect(throws: ArenaError.notAnArena) { _ = try ChunkPool(over: region, limit: 4, creating: false) }
    }
  }
}
