// SPDX-License-Identifier: Apache-2.0

import CSandbox

/// Who the process is to be: a user and a group, without supplementary groups.
public struct Identity: Equatable, Sendable {
  public let user: UInt32
  public let group: UInt32

  /// Looks up `NAME[:GROUP]`, each a name or a number; without GROUP the user's own group.
  ///
  /// Reads the host's tables of users, so it must be done before they are out of sight.
  public init(named text: String) throws(SandboxError) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let name = parts[0]
    let groupName = parts.count > 1 ? parts[1] : nil
    guard !name.isEmpty, groupName != "" else { throw SandboxError("'\(text)' is not USER or USER:GROUP") }
    var user: UInt32 = 0
    var group: UInt32 = 0
    let result = vtcp_find_identity(name, groupName, &user, &group)
    if result == -SandboxError.noSuchProcess { throw SandboxError("there is no group \(groupName ?? "") on this host") }
    guard result >= 0 else { throw SandboxError("there is no user \(name) on this host") }
    self.user = user
    self.group = group
  }

  private init(user: UInt32, group: UInt32) {
    self.user = user
    self.group = group
  }

  /// Who the process is.
  static var current: Identity { Identity(user: vtcp_current_user(), group: vtcp_current_group()) }
}
