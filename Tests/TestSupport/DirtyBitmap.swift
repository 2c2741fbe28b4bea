// SPDX-License-Identifier: Apache-2.0
import CTestSupport
import Glibc

/// The front-end's dirty log: a bitmap in a memfd, one bit for each 4 KiB of guest address.
public final class DirtyBitmap {
  public static let pageSize = 4096

  public let descriptor: Descriptor
  /// Bytes of the bitmap, and where in the file it starts.
  public let size: Int
  public let offset: Int
  private let fileSize: Int
  private let base: UnsafeMutableRawPointer

  /// A bitmap for guest addresses below `memory`; bytes of the file before and behind it are not part of it.
  public init(covering memory: Int, offset: Int = 0, behind: Int = 0) throws {
    size = (memory / DirtyBitmap.pageSize + 7) / 8
    self.offset = offset
    fileSize = offset + size + behind
    descriptor = try Descriptor.memory("dirty-log", size: fileSize)
    let map = mmap(nil, fileSize, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.number, 0)
    guard let map, map != MAP_FAILED else { throw TestFailure("mmap: errno \(errno)") }
    base = map
  }

  deinit { munmap(base, fileSize) }

  /// Page numbers whose bits are set.
  public var pages: Set<Int> {
    var pages: Set<Int> = []
    for index in 0..<size {
      let byte = base.load(fromByteOffset: offset + index, as: UInt8.self)
      for bit in 0..<8 where byte >> UInt8(bit) & 1 == 1 { pages.insert(8 * index + bit) }
    }
    return pages
  }

  /// Whether the file's bytes outside of the bitmap are as they were made.
  public var isCleanOutside: Bool {
    let file = UnsafeRawBufferPointer(start: base, count: fileSize)
    return file.indices.allSatisfy { (offset..<offset + size).contains($0) || file[$0] == 0 }
  }

  /// The pages that `count` bytes at a guest address lie in.
  public static func pages(at address: UInt64, count: Int) -> Set<Int> {
    guard count > 0 else { return [] }
    return Set(Int(address) / pageSize...(Int(address) + count - 1) / pageSize)
  }
}
