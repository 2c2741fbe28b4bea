// SPDX-License-Identifier: Apache-2.0

/// What a connection's callbacks have brought and nobody has looked at yet.
final class LibvirtEvents {
  /// More than come within a turn.
  private static let most = 10_000

  /// UUIDs of domains.
  private(set) var changes: [String] = []
  /// Some were not kept.
  private(set) var hasLost = false
  var hasEnded = false

  func note(_ uuid: String) {
    guard changes.count < Self.most else {
      hasLost = true
      return
    }
    if changes.last != uuid { changes.append(uuid) }
  }

  func take() -> [String] {
    defer { changes.removeAll(keepingCapacity: true) }
    return changes
  }

  func foundAgain() { hasLost = false }
}
