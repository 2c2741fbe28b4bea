// SPDX-License-Identifier: Apache-2.0

import ControlProtocol

/// Where everything lies that others meet us at.
public struct RunPaths: Equatable, Sendable {
  /// `sockaddr_un.sun_path` less the terminating zero.
  public static let longestSocketPath = 107

  /// `NAME.sock` for QEMU, and `control.sock`.
  public let runDirectory: String
  /// What is to outlive a restart of the host.
  public let stateDirectory: String

  public init(runDirectory: String, stateDirectory: String) {
    self.runDirectory = runDirectory
    self.stateDirectory = stateDirectory
  }

  public var control: String { runDirectory + "/control.sock" }
  public var lock: String { runDirectory + "/vtcpd.lock" }
  public var nicsDirectory: String { runDirectory + "/nics" }
  public var portsDirectory: String { stateDirectory + "/ports" }
  public var historyDirectory: String { stateDirectory + "/policies" }
  public var overridesFile: String { stateDirectory + "/overrides.json" }

  public func socket(_ name: NICName) -> String { "\(runDirectory)/\(name).sock" }
  public func control(_ name: NICName) -> String { "\(nicsDirectory)/\(name).control" }
  public func statistics(_ name: NICName) -> String { "\(nicsDirectory)/\(name).statistics" }
  public func notify(_ name: NICName) -> String { "\(nicsDirectory)/\(name).notify" }
  public func policy(_ name: NICName) -> String { "\(nicsDirectory)/\(name).policy" }
  public func port(_ name: NICName) -> String { "\(portsDirectory)/\(name).json" }

  /// All sockets of a NIC of that name can be reached by their paths, and are nothing else's.
  public func check(_ name: NICName) throws(ServiceError) {
    guard socket(name) != control else {
      throw ServiceError(.mistaken, "no NIC can be called 'control': \(control) is the service's own socket")
    }
    for path in [socket(name), control(name), notify(name)] where path.utf8.count > Self.longestSocketPath {
      let room = name.text.utf8.count - (path.utf8.count - Self.longestSocketPath)
      throw ServiceError(
        .mistaken,
        room > 0
          ? "the name '\(name)' is too long for a socket's path in \(runDirectory): give one of at most \(room) octets"
          : "the directory \(runDirectory) is too long for sockets' paths: give a shorter runDirectory")
    }
  }

  /// The NIC that a socket's path is for; nil: it is not in our directory.
  public func name(ofSocket path: String) -> NICName? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: true)
    guard path.utf8.first == UInt8(ascii: "/"), let file = parts.last, file.hasSuffix(".sock") else { return nil }
    let directory = "/" + parts.dropLast().joined(separator: "/")
    guard directory == runDirectory, let name = try? NICName(String(file.dropLast(".sock".count))) else { return nil }
    return socket(name) == control ? nil : name
  }
}
