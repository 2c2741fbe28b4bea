// SPDX-License-Identifier: Apache-2.0

public import ControlProtocol
import Memory
import Monitoring
import Polling

/// The statistics file of a vtcp-nic, which is read without asking anybody (docs/monitoring.md).
public final class StatisticsFileReading {
  private let file: OwnedDescriptor
  private let memory: ByteRegion
  private let path: String

  public init(path: String) throws(AdministrationError) {
    self.path = path
    do throws(SystemError) {
      file = try NamedFile.open(path: path)
      let size = try SharedMemory.size(of: file.rawValue)
      guard size > 0 else { throw SystemError(call: "read \(path)", code: SystemError.noData) }
      memory = try NamedFile.mapReadable(file.rawValue, size: size)
      // It may be cut short while we read.
      try MemoryGuard.install()
      try MemoryGuard.protect(memory, blockSize: 4096, isOwn: true)
    } catch {
      throw Self.told(error)
    }
  }

  deinit {
    MemoryGuard.unprotect(memory)
    SharedMemory.unmap(memory)
  }

  /// What is in it now: the object of `vtcp-nic --stats --json`.
  public func statistics() throws(AdministrationError) -> JSONValue {
    let isRunning: Bool
    do throws(SystemError) { isRunning = try NamedFile.isClaimed(file.rawValue) } catch { throw Self.told(error) }
    let text: String
    do throws(MonitorError) {
      text = try MonitorReader(over: memory).snapshot().json(isRunning: isRunning, now: MonotonicClock.now())
    } catch {
      throw .failed("\(path): \(error)")
    }
    do throws(ControlProtocolError) { return try JSONValue(parsing: text.utf8) } catch {
      throw .failed("\(path): \(error)")
    }
  }

  private static func told(_ error: SystemError) -> AdministrationError {
    switch error.code {
    case SystemError.noSuchFile:
      .notRunning("\(error); give the path that vtcp-nic was started with as --stats-file")
    case SystemError.notPermitted: .failed("\(error); be its owner, or a member of its group")
    case SystemError.tooManyLinks: .failed("\(error); give the file's own path, not that of a symbolic link")
    default: .failed("\(error); give the path that vtcp-nic was started with as --stats-file")
    }
  }
}
