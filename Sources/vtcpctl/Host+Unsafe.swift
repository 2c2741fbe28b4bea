// SPDX-License-Identifier: Apache-2.0

import Glibc
import Polling

/// What this host has, looked at from outside.
enum Host {
  enum Access {
    case granted
    case refused
    case missing
  }

  /// Whether the file can be read, and written if `writing`.
  static func access(_ path: String, writing: Bool = true) -> Access {
    if Glibc.access(path, writing ? R_OK | W_OK : R_OK) == 0 { return .granted }
    return errno == ENOENT || errno == ENOTDIR || errno == ENODEV ? .missing : .refused
  }

  /// Opened as the kernel wants it: some devices are there, and nothing is behind them.
  static func opens(_ path: String) -> Bool {
    let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK)
    if descriptor >= 0 { _ = OwnedDescriptor(descriptor) }
    return descriptor >= 0
  }

  static func isExecutable(_ path: String) -> Bool { Glibc.access(path, X_OK) == 0 }

  /// Where a program is, by PATH; nil: nowhere.
  static func program(_ name: String) -> String? {
    guard let list = getenv("PATH") else { return nil }
    return String(cString: list).split(separator: ":").map { "\($0)/\(name)" }.first { isExecutable($0) }
  }

  /// The folder that this program is in.
  static var ownFolder: String? {
    var room = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &room, room.count - 1)
    guard count > 0 else { return nil }
    let path = String(decoding: room[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return path.lastIndex(of: "/").map { String(path[..<$0]) }
  }

  /// A short text file; nil: it can't be read.
  static func text(_ path: String) -> String? {
    guard let octets = try? Terminal.contents(path) else { return nil }
    let text = String(decoding: octets, as: UTF8.self)
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  /// Names in a folder; nothing: it is not there.
  static func names(in folder: String) -> [String] {
    guard let opened = opendir(folder) else { return [] }
    defer { closedir(opened) }
    var names: [String] = []
    while let entry = readdir(opened) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  static var isRoot: Bool { geteuid() == 0 }
}
