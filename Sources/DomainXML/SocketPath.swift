// SPDX-License-Identifier: Apache-2.0

/// Paths of sockets, as text.
enum SocketPath {
  /// The last part of `path`, if all before it is `folder`. Doubled slashes and `.` parts count as one slash, as for the kernel; a path with
  /// `..` is in no folder.
  static func file(of path: String, in folder: String) -> String? {
    guard let parts = parts(path), let folderParts = Self.parts(folder), let last = parts.last,
      parts.dropLast() == folderParts[...]
    else { return nil }
    return last
  }

  /// `DOMAIN-INDEX.sock`, of letters, digits, -, _ and . only, and short enough for the path of a socket in most folders.
  static func fileName(domain: String, index: Int) -> String {
    let safe = domain.unicodeScalars.prefix(48).map { scalar in
      scalar.isASCII
        && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil
          || "-_.".unicodeScalars.contains(scalar))
        ? Character(scalar) : "-"
    }
    return "\(safe.isEmpty ? "vtcp" : String(safe))-\(index).sock"
  }

  static func joined(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
  }

  /// Of an absolute path; nil for others.
  private static func parts(_ path: String) -> [String]? {
    guard path.utf8.first == UInt8(ascii: "/") else { return nil }
    let parts = path.split(separator: "/").map { String($0) }.filter { $0 != "." }
    return parts.contains("..") ? nil : parts
  }
}
