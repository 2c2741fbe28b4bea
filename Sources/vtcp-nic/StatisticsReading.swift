// SPDX-License-Identifier: Apache-2.0

import Memory
import Monitoring
import Polling

/// `vtcp-nic --stats`: prints what another vtcp-nic has written.
enum StatisticsReading {
  /// The text to print. Throws one sentence.
  static func text(path: String, asJSON: Bool) throws(OptionsError) -> String {
    let file: OwnedDescriptor
    let memory: ByteRegion
    let isRunning: Bool
    do throws(SystemError) {
      file = try NamedFile.open(path: path)
      let size = try SharedMemory.size(of: file.rawValue)
      guard size > 0 else {
        throw SystemError(call: "read \(path)", code: SystemError.noData)
      }
      memory = try NamedFile.mapReadable(file.rawValue, size: size)
      // It may be cut short while we read.
      try MemoryGuard.install()
      try MemoryGuard.protect(memory, blockSize: 4096, isOwn: true)
      isRunning = try NamedFile.isClaimed(file.rawValue)
    } catch {
      throw OptionsError("--stats: \(error)\(hint(error))")
    }
    do throws(MonitorError) {
      let snapshot = try MonitorReader(over: memory).snapshot()
      let now = MonotonicClock.now()
      return asJSON ? snapshot.json(isRunning: isRunning, now: now) : snapshot.text(isRunning: isRunning, now: now)
    } catch {
      throw OptionsError("--stats: \(path): \(error)")
    }
  }

  private static func hint(_ error: SystemError) -> String {
    switch error.code {
    case SystemError.noSuchFile: "; give the path that vtcp-nic was started with as --stats-file"
    case SystemError.notPermitted: "; be its owner, or a member of its group"
    case SystemError.tooManyLinks: "; give the file's own path, not that of a symbolic link"
    case SystemError.notSupported:
      "; it is no regular file, give the path that vtcp-nic was started with as --stats-file"
    case SystemError.noData: "; it is empty, give the path that vtcp-nic was started with as --stats-file"
    default: ""
    }
  }
}
