// SPDX-License-Identifier: Apache-2.0

import Arena
import Memory
import Polling

/// The arena's memory: kept for us, handed in by `--state-fd`, or new.
enum StateMemory {
  /// Bytes of whole pages that the arena takes.
  static func byteCount(queueCount: Int) -> Int { (Arena.byteCount(queueCount: queueCount) + 4095) / 4096 * 4096 }

  /// The file: the process before us had it, or `--state-fd` says which, or it is new.
  static func file(
    _ handed: OwnedDescriptor?, _ options: Options, queueCount: Int
  ) throws(SystemError) -> OwnedDescriptor {
    if let file = handed ?? options.stateDescriptor.map({ OwnedDescriptor($0) }) { return file }
    return try SharedMemory.make(name: "vtcp-nic", size: byteCount(queueCount: queueCount), grows: true)
  }

  /// Opens it. Throws one sentence if it is no state memory for so many queues.
  static func open(_ descriptor: Int32, queueCount: Int) throws(OptionsError) -> Arena {
    let size = byteCount(queueCount: queueCount)
    let region: ByteRegion
    do throws(SystemError) {
      region = try map(descriptor, size)
    } catch {
      throw OptionsError(
        "--state-fd: \(error); hand in a memfd that is empty or was used with the same --queues before")
    }
    do throws(ArenaError) {
      return try Arena(over: region, queueCount: queueCount)
    } catch {
      switch error {
      case .tooSmall(let has, let needs):
        throw OptionsError("--state-fd: the memory has \(has) bytes and \(needs) are needed; hand in an empty memfd")
      case .notAnArena, .notAligned, .otherShape, .damaged:
        throw OptionsError("--state-fd: the memory holds something else; hand in an empty memfd")
      case .otherVersion(let version):
        throw OptionsError(
          "--state-fd: the memory has layout version \(version), this program knows \(Arena.version); "
            + "restart the guest's NIC with an empty memfd")
      case .otherQueueCount(let queues):
        throw OptionsError(
          "--state-fd: the memory was made for \(queues) queues, not \(queueCount); start with the same --queues")
      }
    }
  }

  private static func map(_ descriptor: Int32, _ size: Int) throws(SystemError) -> ByteRegion {
    let present = try SharedMemory.size(of: descriptor)
    if present < size { try SharedMemory.resize(descriptor, to: size) }
    let region = try SharedMemory.map(descriptor, size: size, offset: 0)
    try MemoryGuard.protect(region, blockSize: 4096)
    return region
  }
}
