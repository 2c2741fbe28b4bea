// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling
import Virtio

/// A memory region that is mapped here for as long as this object lives.
final class MappedRegion {
  let region: GuestRegion
  private let mapping: ByteRegion

  /// Maps the region lazily: populating it would keep the front-end waiting.
  ///
  /// The file must hold the whole region now; if the front-end shrinks it later, `MemoryGuard` keeps us alive.
  init(_ description: MemoryRegionDescription, file: OwnedDescriptor) throws(RequestError) {
    let (fileEnd, overflow) = description.fileOffset.addingReportingOverflow(description.size)
    guard description.size > 0, !overflow, fileEnd <= UInt64(Int64.max) else {
      throw .refused("its size or offset makes no sense")
    }
    do {
      let size = try SharedMemory.size(of: file.rawValue)
      guard fileEnd <= UInt64(size) else { throw RequestError.refused("its file is shorter than the region") }
      // The offset is rounded down to what the file system can map (a huge page, say), the rest is skipped here.
      let block = UInt64(max(try SharedMemory.blockSize(of: file.rawValue), 4096))
      let start = description.fileOffset / block * block
      let skipped = Int(description.fileOffset - start)
      let (rounded, tooLarge) = (fileEnd - start).addingReportingOverflow(block - 1)
      guard !tooLarge else { throw RequestError.refused("its size makes no sense") }
      mapping = try SharedMemory.map(file.rawValue, size: Int(rounded / block * block), offset: start)
      let inside = mapping.slice(from: skipped, count: Int(description.size))
      guard
        let region = GuestRegion(
          guestAddress: description.guestAddress, userAddress: description.userAddress, mapping: inside)
      else {
        SharedMemory.unmap(mapping)
        throw RequestError.refused("its addresses wrap")
      }
      self.region = region
      SharedMemory.excludeFromCoreDump(mapping)
      MemoryGuard.protect(mapping, blockSize: Int(block))
    } catch let error as SystemError {
      throw .system(error)
    } catch let error as RequestError {
      throw error
    } catch {
      throw .refused("it can't be mapped")
    }
  }

  deinit {
    MemoryGuard.unprotect(mapping)
    SharedMemory.unmap(mapping)
  }
}
