// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling
import Virtio

/// A memory region that is mapped here for as long as this object lives.
final class MappedRegion {
  let description: MemoryRegionDescription
  let region: GuestRegion
  private let mapping: ByteRegion

  /// Maps the region lazily: populating it would keep the front-end waiting.
  ///
  /// The file must hold the whole region now; if the front-end shrinks it later, `MemoryGuard` keeps us alive.
  init(_ description: MemoryRegionDescription, file: OwnedDescriptor) throws(RequestError) {
    self.description = description
    let (fileEnd, overflow) = description.fileOffset.addingReportingOverflow(description.size)
    guard description.size > 0, !overflow, fileEnd <= UInt64(Int64.max) else {
      throw .refused("its size or offset makes no sense")
    }
    let file = try Self.properties(of: file)
    guard fileEnd <= UInt64(file.size) else { throw .refused("its file is shorter than the region") }
    // The offset is rounded down to what the file system can map (a huge page, say), the rest is skipped here.
    let start = description.fileOffset / file.block * file.block
    let (rounded, tooLarge) = (fileEnd - start).addingReportingOverflow(file.block - 1)
    guard !tooLarge, rounded <= UInt64(Int64.max) else { throw .refused("its size makes no sense") }
    let length = Int(rounded / file.block * file.block)
    mapping = try Self.map(file.descriptor, size: length, offset: start, block: Int(file.block))
    let inside = mapping.slice(from: Int(description.fileOffset - start), count: Int(description.size))
    guard
      let region = GuestRegion(
        guestAddress: description.guestAddress, userAddress: description.userAddress, mapping: inside)
    else {
      Self.unmap(mapping)
      throw .refused("its addresses wrap")
    }
    self.region = region
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

  private static func unmap(_ mapping: ByteRegion) {
    MemoryGuard.unprotect(mapping)
    SharedMemory.unmap(mapping)
  }

  deinit {
    Self.unmap(mapping)
  }
}
