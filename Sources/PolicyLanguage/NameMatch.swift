// SPDX-License-Identifier: Apache-2.0

/// Which names a rule is for: any of some, and none of others.
struct NameMatch: Hashable, Sendable {
  /// Empty: any.
  var wanted: [NamePattern] = []
  var unwanted: [NamePattern] = []

  /// - Parameter names: what the VM or NIC is called; there may be none, or several.
  func matches(_ names: [String]) -> Bool {
    let isUnwanted = names.contains { name in unwanted.contains { $0.matches(name) } }
    return !isUnwanted && (wanted.isEmpty || names.contains { name in wanted.contains { $0.matches(name) } })
  }

  /// Whether it is known to match all that the other does.
  func covers(_ other: NameMatch) -> Bool {
    if self == other { return true }
    return unwanted.isEmpty && !other.wanted.isEmpty
      && other.wanted.allSatisfy { name in wanted.contains { $0.covers(name) } }
  }
}
