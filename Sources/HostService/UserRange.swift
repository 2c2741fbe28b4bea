// SPDX-License-Identifier: Apache-2.0

/// The users that NICs run as, one for each, so that none can reach another.
public struct UserRange: Equatable, Sendable {
  public let users: ClosedRange<UInt32>

  public init(_ users: ClosedRange<UInt32>) {
    self.users = users
  }

  /// `64000-64999`. Nil: it is none, or has user 0 in it.
  public init?(parsing text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let first = UInt32(parts[0]), let last = UInt32(parts[1]), first > 0, first <= last,
      last < UInt32.max
    else { return nil }
    users = first...last
  }

  /// The first that nobody has; nil: all are taken.
  public func free(besides taken: Set<UInt32>) -> UInt32? { users.first { !taken.contains($0) } }
}
