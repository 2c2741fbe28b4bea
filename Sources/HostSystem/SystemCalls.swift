// SPDX-License-Identifier: Apache-2.0

import CHost
import Memory
import Polling

/// The system calls of this target that take addresses; nothing else here does.
///
/// SAFETY: every address handed over is that of a `ByteRegion`, of an array or a string for the length of the call, with a count that is its own; the
/// kernel and the C library keep none of them after the call.
enum SystemCalls {
  static func start(_ program: ProgramStart) throws(SystemError) -> Int32 {
    var step: UnsafePointer<CChar>?
    let arguments = CStrings([program.path] + program.arguments)
    let environment = CStrings(program.environment)
    let result = program.path.withCString { path in
      program.descriptors.map(\.rawValue).withUnsafeBufferPointer { descriptors in
        var request = vtcp_spawn_request(
          path: path, arguments: arguments.pointers, environment: environment.pointers,
          descriptors: descriptors.baseAddress, descriptor_count: Int32(clamping: descriptors.count),
          control_group: program.controlGroup?.rawValue ?? -1, user: program.user.map { Int64($0) } ?? -1,
          group: program.group.map { Int64($0) } ?? -1, file_limit: program.fileLimit,
          memory_limit: program.memoryLimit ?? 0)
        return vtcp_spawn(&request, &step)
      }
    }
    return try check("\(step.map { String(cString: $0) } ?? "start") (\(program.path))", result)
  }

  static func reap(_ descriptor: Int32) throws(SystemError) -> Int32? {
    var status: Int32 = 0
    return try check("wait for a process", vtcp_process_reap(descriptor, &status)) == 0 ? nil : status
  }

  static func peer(_ fd: Int32) throws(SystemError) -> PeerCredentials {
    var process: Int32 = 0
    var user: UInt32 = 0
    var group: UInt32 = 0
    try check("ask who connected", vtcp_peer_credentials(fd, &process, &user, &group))
    return PeerCredentials(process: process, user: user, group: group)
  }

  static func receive(_ fd: Int32, into region: ByteRegion) throws(SystemError) -> NotifyDatagram {
    var process: Int32 = 0
    var truncated: Int32 = 0
    var owned: [OwnedDescriptor] = []
    let count = withUnsafeTemporaryAllocation(of: Int32.self, capacity: Int(VTCP_NOTIFY_DESCRIPTORS)) { room in
      // A temporary allocation of a positive capacity has an address.
      guard let descriptors = room.baseAddress else { return Int64(0) }
      var arrived: Int32 = 0
      let count = vtcp_notify_receive(fd, region.base, region.count, descriptors, &arrived, &process, &truncated)
      for index in 0..<Int(arrived) { owned.append(OwnedDescriptor(descriptors[index])) }
      return count
    }
    try check("receive a notification", count)
    return NotifyDatagram(
      bytes: region.slice(from: 0, count: min(Int(count), region.count)).bytes, descriptors: owned,
      sender: process > 0 ? process : nil, isTruncated: truncated != 0)
  }

  static func notify(_ path: String, _ text: String) throws(SystemError) {
    let octets = Array(text.utf8)
    try check("notify \(path)", vtcp_notify_send(path, octets, octets.count))
  }

  static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
    let room = ByteRegion.allocate(count: limit)
    defer { room.deallocate() }
    let count = try check("read \(path)", vtcp_host_read(path, room.base, room.count))
    return room.slice(from: 0, count: Int(count)).bytes
  }

  static func write(_ path: String, _ octets: [UInt8], _ access: FileAccess, isDurable: Bool) throws(SystemError) {
    try check(
      "write \(path)",
      vtcp_host_write(
        path, octets, octets.count, access.mode, access.userNumber, access.groupNumber, isDurable ? 1 : 0))
  }

  static func put(_ path: String, _ octets: [UInt8]) throws(SystemError) {
    try check("write \(path)", vtcp_host_put(path, octets, octets.count))
  }

  static func list(_ path: String, limit: Int) throws(SystemError) -> [String] {
    let room = ByteRegion.allocate(count: limit)
    defer { room.deallocate() }
    let names = room.base.assumingMemoryBound(to: CChar.self)
    let count = try check("list \(path)", vtcp_host_list(path, names, room.count))
    return room.slice(from: 0, count: Int(count)).bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
  }

  static func programPath() -> String? {
    let room = ByteRegion.allocate(count: 4096)
    defer { room.deallocate() }
    let count = vtcp_own_program(room.base, room.count)
    return count > 0 ? String(decoding: room.slice(from: 0, count: Int(count)).bytes, as: UTF8.self) : nil
  }

  static func keepCapabilities(_ kept: UInt64) throws(SystemError) -> (have: UInt64, isBounded: Bool) {
    var have: UInt64 = 0
    let result = try check("give up capabilities", vtcp_keep_capabilities(kept, &have))
    return (have, result == 0)
  }

  /// A shim's result, or its error.
  @discardableResult
  static func check<Result: FixedWidthInteger>(_ call: @autoclosure () -> String, _ result: Result)
    throws(SystemError) -> Result
  {
    guard result >= 0 else { throw SystemError(call: call(), code: Int32(clamping: -Int64(result))) }
    return result
  }
}
