// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling

/// A part of a front-end's memory file, mapped for as long as this object lives.
///
/// The file must hold the whole part now; if the front-end shortens it later, `MemoryGuard` keeps us alive.
final class MappedFile {
  /// The bytes that were asked for.
  let region: ByteRegion
  private let mapping: ByteRegion

  /// Maps `size` bytes from `offset` on, lazily: populating them would keep the front-end waiting.
  init(_ file: OwnedDescriptor, size: UInt64, offset: UInt64) throws(RequestError) {
    // CVE-2020-10722: neither the sum nor what is rounded below may wrap.
    let (fileEnd, overflow) = offset.addingReportingOverflow(size)
    guard size > 0, !overflow, fileEnd <= UInt64(Int64.max) else {
      throw .refused("its size or offset makes no sense")
    }
    let file = try Self.properties(of: file)
    guard fileEnd <= UInt64(file.size) else { throw .refused("its file is shorter than the region") }
    // The offset is rounded down to what the file system can map (a huge page, say), the rest is skipped here.
    let start = offset / file.block * file.block
    let (rounded, tooLarge) = (fileEnd - start).addingReportingOverflow(file.block - 1)
    guard !tooLarge, rounded <= UInt64(Int64.max) else { throw .refused("its size makes no sense") }
    let length = Int(rounded / file.block * file.block)
    mapping = try Self.map(file.descriptor, size: length, offset: start, block: Int(file.block))
    region = mapping.slice(from: Int(offset - start), count: Int(size))
  }

  /// What the file says of itself. Bytes; `block` is the unit in which it can be mapped.
  private static func properties(
    of file: OwnedDescriptor
  ) throws(RequestError) -> (descriptor: OwnedDescriptor, size: Int, block: UInt64) {
    do throws(SystemError) {
      let size = try SharedMemory.size(of: file.rawValue)
      let block = try SharedMemory.blockSize(of: file.rawValue)
      return (file, size, UInt64(max(block, 4096)))
    } catch {
      throw .system(error)
    }
  }

  private static func map(
    _ file: OwnedDescriptor, size: Int, offset: UInt64, block: Int
  ) throws(RequestError) -> ByteRegion {
    do throws(SystemError) {
      let mapping = try SharedMemory.map(file.rawValue, size: size, offset: offset)
      SharedMemory.excludeFromCoreDump(mapping)
      do throws(SystemError) {
        try MemoryGuard.protect(mapping, blockSize: block)
      } catch {
        SharedMemory.unmap(mapping)
        throw error
      }
      return mapping
    } catch {
      throw .system(error)
    }
  }

  deinit {
    MemoryGuard.unprotect(mapping)
    SharedMemory.unmap(mapping)
  }
}
