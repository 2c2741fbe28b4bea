// SPDX-License-Identifier: Apache-2.0

/// What the program still does with sockets once it is confined.
public enum SocketUse: Equatable, Sendable {
  /// It listens at a path already: accepts, and removes the name at the end.
  case listens(path: String)
  /// It accepts from a socket whose name is somebody else's, if there is one.
  case accepts
  /// It connects, again and again.
  case connects(path: String)

  /// The path, if there is one.
  var path: String? {
    switch self {
    case .listens(let path), .connects(let path): path
    case .accepts: nil
    }
  }

  /// The directory of the path; nil without a path.
  var directory: String? {
    guard let path else { return nil }
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The path as seen from its directory.
  var name: String? {
    guard let path else { return nil }
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
    return String(path[path.utf8.index(after: slash)...])
  }
}
