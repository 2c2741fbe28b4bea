// SPDX-License-Identifier: Apache-2.0

import CHost
public import Polling

/// Small files of ours and of the administrator.
public enum HostFile {
  /// All of a regular file; EFBIG if it has more than `limit` octets.
  public static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
    try SystemCalls.read(path, limit: limit)
  }

  /// Replaces the file at once: who reads it sees the old one or the new one.
  ///
  /// - Parameter isDurable: returns when it would survive a loss of power.
  public static func write(
    _ path: String, _ octets: [UInt8], access: FileAccess, isDurable: Bool = false
  ) throws(SystemError) {
    try SystemCalls.write(path, octets, access, isDurable: isDurable)
  }

  /// Writes into a file that is there, as those of control groups are.
  public static func put(_ path: String, _ text: String) throws(SystemError) {
    try SystemCalls.put(path, Array(text.utf8))
  }

  /// Opens a file that is there to write.
  public static func openToWrite(_ path: String) throws(SystemError) -> OwnedDescriptor {
    OwnedDescriptor(try SystemCalls.check("open \(path)", vtcp_host_open_write(path)))
  }

  /// Makes a directory if it is not there. True: it was not.
  @discardableResult
  public static func makeDirectory(_ path: String, access: FileAccess) throws(SystemError) -> Bool {
    try SystemCalls.check(
      "make the directory \(path)",
      vtcp_host_make_directory(path, access.mode, access.userNumber, access.groupNumber)) == 1
  }

  /// Nothing happens if it is not there.
  public static func remove(_ path: String) throws(SystemError) {
    do throws(SystemError) {
      try SystemCalls.check("remove \(path)", vtcp_host_remove(path))
    } catch {
      guard error.code == SystemError.noSuchFile else { throw error }
    }
  }

  public static func removeDirectory(_ path: String) throws(SystemError) {
    try SystemCalls.check("remove the directory \(path)", vtcp_host_remove_directory(path))
  }

  /// The names in a directory, sorted, without those that begin with a dot. EFBIG if they are more than a megabyte.
  public static func list(_ directory: String) throws(SystemError) -> [String] {
    try SystemCalls.list(directory, limit: 1 << 20).sorted()
  }

  /// A lock by that name that lasts as long as the descriptor; EAGAIN: somebody has it.
  public static func lock(_ path: String) throws(SystemError) -> OwnedDescriptor {
    let file = OwnedDescriptor(try SystemCalls.check("open \(path)", vtcp_host_lock_file(path)))
    try NamedFile.claim(file.rawValue)
    return file
  }
}

extension SystemError {
  // Errno values that mean something to who starts programs and keeps files.
  public static var noSuchFile: Int32 { 2 }
  public static var noSuchProcess: Int32 { 3 }
  public static var again: Int32 { 11 }
  public static var accessDenied: Int32 { 13 }
  public static var notDirectory: Int32 { 20 }
  public static var isDirectory: Int32 { 21 }
  public static var tooLarge: Int32 { 27 }
  public static var connectionRefused: Int32 { 111 }
}
