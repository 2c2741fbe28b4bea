// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What /proc says of the process.
extension NICProcess {
  /// Open file descriptors.
  public func openDescriptors() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/\(identifier)/fd").count
  }

  /// Mappings of memory files, of which guest memory is made.
  public func memoryMappings() throws -> Int {
    let maps = try String(contentsOfFile: "/proc/\(identifier)/maps", encoding: .utf8)
    return maps.split(separator: "\n").count { $0.contains("memfd:") }
  }

  /// Resident kibibytes (VmRSS).
  public func residentKibibytes() throws -> Int {
    try field("VmRSS", of: "/proc/\(identifier)/status")
  }

  /// Times that any thread gave up the CPU by itself: each is a wake-up.
  public func voluntaryContextSwitches() throws -> Int {
    let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(identifier)/task")
    return try tasks.reduce(0) {
      try $0 + field("voluntary_ctxt_switches", of: "/proc/\(identifier)/task/\($1)/status")
    }
  }

  /// CPU time of all threads in clock ticks (1/100 s).
  public func processorTicks() throws -> Int {
    let stat = try String(contentsOfFile: "/proc/\(identifier)/stat", encoding: .utf8)
    guard let end = stat.lastIndex(of: ")") else { throw TestFailure("no stat") }
    let fields = stat[stat.index(after: end)...].split(separator: " ")
    guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else {
      throw TestFailure("no stat")
    }
    return user + system
  }

  private func field(_ name: String, of path: String) throws -> Int {
    let status = try String(contentsOfFile: path, encoding: .utf8)
    for line in status.split(separator: "\n") where line.hasPrefix(name + ":") {
      if let value = line.split(whereSeparator: { " \t:".contains($0) }).dropFirst().first, let number = Int(value) {
        return number
      }
    }
    throw TestFailure("no \(name) in \(path)")
  }
}

extension NICProcess {
  /// The words of a line of /proc/PID/status.
  public func status(_ name: String) throws -> [String] {
    let text = try String(contentsOfFile: "/proc/\(identifier)/status", encoding: .utf8)
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name + ":") }) else {
      throw TestFailure("no \(name) in the status")
    }
    return line.dropFirst(name.count + 1).split(whereSeparator: { " \t".contains($0) }).map(String.init)
  }

  /// What each open descriptor is: "socket:[123]", "/dev/null".
  public func descriptorTargets() throws -> [String] {
    let folder = "/proc/\(identifier)/fd"
    return try FileManager.default.contentsOfDirectory(atPath: folder).map {
      try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
    }
  }

  /// The mounts that it sees.
  public func mounts() throws -> [String] {
    try String(contentsOfFile: "/proc/\(identifier)/mountinfo", encoding: .utf8).split(separator: "\n").map(String.init)
  }

  /// What it finds in its root directory.
  public func rootEntries() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/\(identifier)/root/")
  }
}
