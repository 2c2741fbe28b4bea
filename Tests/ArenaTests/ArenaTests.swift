// SPDX-License-Identifier: Apache-2.0

import Arena
import Memory
import Testing

@Suite("Arena: memory that outlives a process")
struct ArenaTests {
  private static let queues = 4

  private func withMemory(_ count: Int? = nil, _ body: (ByteRegion) throws -> Void) rethrows {
    let region = ByteRegion.allocate(count: count ?? Arena.byteCount(queueCount: Self.queues))
    defer { region.deallocate() }
    try body(region)
  }

  @Test func emptyMemoryBecomesAnArenaThatTheNextProcessInherits() throws {
    try withMemory { region in
      let first = try Arena(over: region, queueCount: Self.queues)
      #expect(!first.isInherited)
      first.journal(ofQueue: 2).store(UInt32(7), at: 0)
      first.statistics(ofQueue: 3).store(UInt64(8), at: 8)
      let second = try Arena(over: region, queueCount: Self.queues)
      #expect(second.isInherited)
      #expect(second.journal(ofQueue: 2).load(UInt32.self, at: 0) == 7)
      #expect(second.statistics(ofQueue: 3).load(UInt64.self, at: 8) == 8)
      #expect(region.load(UInt64.self, at: 40) == 2)
    }
  }

  @Test func sectionsOfAllQueuesLieApartAndInside() throws {
    try withMemory { region in
      let arena = try Arena(over: region, queueCount: Self.queues)
      region.suffix(from: 64).fill(with: 0)
      let session = arena.session
      #expect(session.bytes.allSatisfy { $0 == 0 })
      session.fill(with: 2)
      for index in 0..<Self.queues {
        for section in [arena.journal(ofQueue: index), arena.statistics(ofQueue: index)] {
          #expect(section.bytes.allSatisfy { $0 == 0 })
          section.fill(with: 1)
        }
      }
      #expect(session.bytes.allSatisfy { $0 == 2 })
      #expect(try Arena(over: region, queueCount: Self.queues).isInherited)
    }
  }

  @Test func memoryThatIsTooSmallIsRefused() {
    let needs = Arena.byteCount(queueCount: Self.queues)
    withMemory(needs - 1) { region in
      #expect(throws: ArenaError.tooSmall(has: needs - 1, needs: needs)) {
        _ = try Arena(over: region, queueCount: Self.queues)
      }
    }
  }

  @Test func anotherNumberOfQueuesIsRefused() throws {
    try withMemory { region in
      _ = try Arena(over: region, queueCount: Self.queues)
      #expect(throws: ArenaError.otherQueueCount(Self.queues)) { _ = try Arena(over: region, queueCount: 2) }
    }
  }

  @Test func anotherVersionIsRefused() throws {
    try withMemory { region in
      _ = try Arena(over: region, queueCount: Self.queues)
      region.store(Arena.version + 1, at: 8)
      #expect(throws: ArenaError.otherVersion(Arena.version + 1)) {
        _ = try Arena(over: region, queueCount: Self.queues)
      }
    }
  }

  @Test(arguments: [0, 24, 32])
  func damagedHeaderIsRefused(offset: Int) throws {
    try withMemory { region in
      _ = try Arena(over: region, queueCount: Self.queues)
      region.store(UInt64(1), at: offset)
      #expect(throws: ArenaError.notAnArena) { _ = try Arena(over: region, queueCount: Self.queues) }
    }
  }
}
