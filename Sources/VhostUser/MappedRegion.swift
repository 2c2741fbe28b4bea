// SPDX-License-Identifier: Apache-2.0

import Polling
import Virtio

/// A memory region that is mapped here for as long as this object lives.
final class MappedRegion {
  let description: MemoryRegionDescription
  let region: GuestRegion
  /// Its file, for who takes over from us.
  let descriptor: OwnedDescriptor
  let identity: SharedMemory.Identity
  private let file: MappedFile

  init(_ description: MemoryRegionDescription, file: OwnedDescriptor) throws(RequestError) {
    self.description = description
    descriptor = file
    do throws(SystemError) { identity = try SharedMemory.identity(of: file.rawValue) } catch { throw .system(error) }
    self.file = try MappedFile(file, size: description.size, offset: description.fileOffset)
    guard
      let region = GuestRegion(
        guestAddress: description.guestAddress, userAddress: description.userAddress, mapping: self.file.region)
    else { throw .refused("its addresses wrap") }
    self.region = region
  }
}
