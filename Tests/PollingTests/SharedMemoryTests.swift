// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Memory
import Polling
import Testing

@Suite("Shared memory: two mappings of one file, and files that shrink", .serialized)
struct SharedMemoryTests {
  @Test func mappingsOfOneFileShareTheirBytes() throws {
    let file = try SharedMemory.make(name: "test", size: 1 << 20)
    #expect(try SharedMemory.size(of: file.rawValue) == 1 << 20)
    let block = try SharedMemory.blockSize(of: file.rawValue)
    #expect(block == Int(vtcp_page_size()))
    let whole = try SharedMemory.map(file.rawValue, size: 1 << 20, offset: 0)
    let part = try SharedMemory.map(file.rawValue, size: block, offset: UInt64(block))
    defer {
      SharedMemory.unmap(whole)
      SharedMemory.unmap(part)
    }
    SharedMemory.excludeFromCoreDump(whole)
    part.store(UInt32(0xDEAD_BEEF), at: 8)
    #expect(whole.load(UInt32.self, at: block + 8) == 0xDEAD_BEEF)
  }

  @Test func ourOwnFileCannotShrink() throws {
    let file = try SharedMemory.make(name: "test", size: 8192)
    #expect(vtcp_file_truncate(file.rawValue, 0) == -EPERM)
  }

  @Test(arguments: [(0, UInt64(0)), (4096, UInt64(1)), (4096, UInt64.max)])
  func mappingThatCannotBeIsAnError(size: Int, offset: UInt64) throws {
    let file = try SharedMemory.make(name: "test", size: 8192)
    #expect(throws: SystemError.self) { _ = try SharedMemory.map(file.rawValue, size: size, offset: offset) }
  }

  @Test func truncatedFileReadsAsZeroesAndIsCounted() throws {
    try MemoryGuard.install()
    let page = Int(vtcp_page_size())
    let file = try anonymousFile()
    #expect(vtcp_file_truncate(file.rawValue, Int64(4 * page)) == 0)
    let region = try SharedMemory.map(file.rawValue, size: 4 * page, offset: 0)
    defer { SharedMemory.unmap(region) }
    region.fill(with: 0xAA)
    try MemoryGuard.protect(region, blockSize: page)
    defer { MemoryGuard.unprotect(region) }
    #expect(vtcp_file_truncate(file.rawValue, Int64(page)) == 0)

    let before = MemoryGuard.faultCount
    #expect(region.load(UInt8.self, at: 2 * page + 5) == 0)
    #expect(MemoryGuard.faultCount == before + 1)
    region.store(UInt8(7), at: 2 * page)
    #expect(MemoryGuard.faultCount == before + 1, "the page was replaced for good")
    region.store(UInt8(7), at: 4 * page - 1)
    #expect(MemoryGuard.faultCount == before + 2)
    #expect(region.load(UInt8.self, at: page - 1) == 0xAA, "what the file still holds stays")
  }

  /// A file without a name, as a front-end would hand over: nothing keeps its owner from truncating it.
  private func anonymousFile() throws -> OwnedDescriptor {
    let path = "/tmp/vtcp-test-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    let fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    try #require(fd >= 0)
    unlink(path)
    return OwnedDescriptor(fd)
  }

  @Test(arguments: [0, 3, 4095])
  func blockSizeThatIsNoPowerOfTwoIsRefused(blockSize: Int) throws {
    let file = try SharedMemory.make(name: "test", size: 8192)
    let region = try SharedMemory.map(file.rawValue, size: 8192, offset: 0)
    defer { SharedMemory.unmap(region) }
    #expect(throws: SystemError.self) { try MemoryGuard.protect(region, blockSize: blockSize) }
  }

  @Test func unprotectedRegionsMakeRoomForOthers() throws {
    let page = Int(vtcp_page_size())
    let file = try SharedMemory.make(name: "test", size: page)
    let region = try SharedMemory.map(file.rawValue, size: page, offset: 0)
    defer { SharedMemory.unmap(region) }
    for _ in 0..<2000 {
      try MemoryGuard.protect(region, blockSize: page)
      MemoryGuard.unprotect(region)
    }
  }
}
