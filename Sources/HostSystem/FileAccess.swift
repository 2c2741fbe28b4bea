// SPDX-License-Identifier: Apache-2.0

/// Whose a file is to be, and who may do what with it.
public struct FileAccess: Equatable, Sendable {
  /// As in `chmod`: 0o640.
  public let mode: UInt32
  /// Nil: our own.
  public let user: UInt32?
  public let group: UInt32?

  public init(mode: UInt32, user: UInt32? = nil, group: UInt32? = nil) {
    self.mode = mode
    self.user = user
    self.group = group
  }

  // As `chown` takes them: -1 leaves it.
  var userNumber: Int64 { user.map { Int64($0) } ?? -1 }
  var groupNumber: Int64 { group.map { Int64($0) } ?? -1 }
}
