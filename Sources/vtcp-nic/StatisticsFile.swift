// SPDX-License-Identifier: Apache-2.0

import Memory
import Monitoring
import Polling
import TCPPolicy
import VTCP

/// What others may see of the accelerator: a file in memory that each start makes anew (docs/monitoring.md).
final class StatisticsFile {
  let region: MonitorRegion
  /// Our claim on the file: a reader knows by it that we run.
  private let descriptor: OwnedDescriptor
  private var toldLoss = false

  /// The file that the options ask for; nil if they don't. Throws one sentence.
  ///
  /// - Parameters:
  ///   - uplink: the uplink's name, for readers.
  ///   - group: who may read it, beside its owner; nil: our own group.
  static func make(_ options: Options, uplink: String, group: UInt32?) throws(OptionsError) -> StatisticsFile? {
    guard let path = options.statisticsFile else { return nil }
    try removeOld(path)
    let flowLimit = ModuleConfiguration().flowLimit
    let size = MonitorRegion.byteCount(flowLimit: flowLimit)
    let descriptor = try telling { () throws(SystemError) in
      try NamedFile.create(path: path, size: size, group: group)
    }
    guard try telling({ () throws(SystemError) in try NamedFile.isInMemory(descriptor.rawValue) }) else {
      try telling { () throws(SystemError) in try NamedFile.remove(path: path) }
      throw OptionsError(
        "--stats-file: \(path) is not in memory, and a disk would hold up frames; give a path on tmpfs")
    }
    let memory = try telling { () throws(SystemError) in
      try NamedFile.claim(descriptor.rawValue)
      let memory = try SharedMemory.map(descriptor.rawValue, size: size, offset: 0)
      // Whoever cuts it short, or fills up its file system, ends the figures and not us.
      try MemoryGuard.protect(memory, blockSize: 4096, isOwn: true)
      return memory
    }
    let identity = MonitorIdentity(
      process: Process.identifier, started: MonotonicClock.now(), mode: options.acceleration.rawValue, uplink: uplink,
      socket: options.role?.name ?? "")
    let region = MonitorRegion(creatingIn: memory, identity: identity, flowLimit: flowLimit)
    return StatisticsFile(region: region, descriptor: descriptor)
  }

  private init(region: MonitorRegion, descriptor: OwnedDescriptor) {
    self.region = region
    self.descriptor = descriptor
  }

  /// Says, once, that not all is written any more.
  func tellLoss(_ log: Log) {
    guard MemoryGuard.ownFaultCount != 0, !toldLoss else { return }
    toldLoss = true
    log.error(
      "the statistics file was cut short, or its file system is full: it does not tell all any more, start anew")
  }

  /// A predecessor's file gives way; anything else stays.
  private static func removeOld(_ path: String) throws(OptionsError) {
    let old: OwnedDescriptor
    do throws(SystemError) {
      old = try NamedFile.open(path: path, writable: true)
    } catch {
      guard error.code != SystemError.noSuchFile else { return }
      throw OptionsError("--stats-file: \(error)\(hint(error))")
    }
    let isOurs = try telling { () throws(SystemError) in
      let size = try SharedMemory.size(of: old.rawValue)
      guard size >= 8 else { return size == 0 }
      let memory = try NamedFile.mapReadable(old.rawValue, size: size)
      try MemoryGuard.protect(memory, blockSize: 4096, isOwn: true)
      defer {
        MemoryGuard.unprotect(memory)
        SharedMemory.unmap(memory)
      }
      return MonitorRegion.isOne(memory)
    }
    guard isOurs else {
      throw OptionsError("--stats-file: \(path) is there and is something else; remove it, or give another path")
    }
    try telling { () throws(SystemError) in
      try NamedFile.claim(old.rawValue)
      try NamedFile.remove(path: path)
    }
  }

  private static func telling<Result>(_ body: () throws(SystemError) -> Result) throws(OptionsError) -> Result {
    do throws(SystemError) { return try body() } catch { throw OptionsError("--stats-file: \(error)\(hint(error))") }
  }

  private static func hint(_ error: SystemError) -> String {
    switch error.code {
    case SystemError.again: "; another vtcp-nic writes it, give each NIC a file of its own"
    case SystemError.noSuchFile: "; its directory must exist"
    case SystemError.tooManyLinks: "; it may not be a symbolic link"
    case SystemError.notSupported: "; it must be a regular file"
    default: ""
    }
  }
}

extension SystemError {
  // Errno values that mean something for files and sockets.
  static let noSuchFile: Int32 = 2
  static let again: Int32 = 11
  static let notPermitted: Int32 = 13
  static let tooLarge: Int32 = 27
  static let tooManyLinks: Int32 = 40
  static let noData: Int32 = 61
  static let notSupported: Int32 = 95
  static let connectionReset: Int32 = 104
  static let timedOut: Int32 = 110
  static let connectionRefused: Int32 = 111
}
