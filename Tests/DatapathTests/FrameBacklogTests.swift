// SPDX-License-Identifier: Apache-2.0

import Memory
import Testing

@testable import Datapath

@Suite("Frame backlog")
struct FrameBacklogTests {
  @Test("Frames come out in their order, each of its size, and there is room again when all are out")
  func order() throws {
    let backlog = FrameBacklog(largestFrames: 4)
    for _ in 0..<3 {
      var sizes: [Int] = []
      while let room = backlog.room {
        let size = 1 + 997 * sizes.count % 60000
        room.slice(from: 0, count: size).fill(with: UInt8(truncatingIfNeeded: sizes.count))
        backlog.keep(size)
        sizes.append(size)
      }
      #expect(sizes.reduce(0, +) >= 3 * FrameLimits.staging - 60000)
      for (number, size) in sizes.enumerated() {
        let frame = try #require(backlog.next())
        #expect(frame.bytes == [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: size))
      }
      #expect(backlog.next() == nil)
    }
  }

  @Test("Where one more has room behind what there would be, there is room for it when that is there")
  func promisedRoom() throws {
    let backlog = FrameBacklog(largestFrames: 4)
    for size in [1, 1000, 40000, FrameLimits.staging] {
      var count = 0
      while backlog.hasRoom(behind: count, of: count * size) {
        _ = try #require(backlog.room)
        backlog.keep(size)
        count += 1
      }
      #expect(count >= 4)
      #expect(backlog.room == nil)
      #expect(backlog.first?.count == size)
      for _ in 0..<count { #expect(backlog.next()?.count == size) }
      #expect(backlog.first == nil)
      backlog.clear()
    }
    #expect(!FrameBacklog(largestFrames: 0).hasRoom(behind: 0, of: 0))
  }

  @Test("What is not kept leaves nothing, and a frame in use is not overwritten by the next one")
  func places() throws {
    let backlog = FrameBacklog(largestFrames: 4)
    backlog.room?.fill(with: 1)
    backlog.room?.fill(with: 2)
    backlog.keep(10)
    let first = try #require(backlog.next())
    backlog.room?.fill(with: 3)
    backlog.keep(20)
    #expect(first.bytes == [UInt8](repeating: 2, count: 10))
    #expect(backlog.next()?.bytes == [UInt8](repeating: 3, count: 20))
  }
}
