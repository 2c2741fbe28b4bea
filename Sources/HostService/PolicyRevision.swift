// SPDX-License-Identifier: Apache-2.0

public import ControlProtocol

/// A policy that was put in force, for the history: `000042.json` and `000042.yaml` in the state directory.
public struct PolicyRevision: Equatable, Sendable {
  /// From 1.
  public let number: Int
  /// Of the text.
  public let digest: String
  /// The user who did it, by number; nil: a start or a signal.
  public let user: UInt32?
  /// Nanoseconds since 1970.
  public let time: Int64
  /// What happened: `start`, `reload`, `set`, `rollback to 7`.
  public let reason: String

  public init(number: Int, digest: String, user: UInt32?, time: Int64, reason: String) {
    self.number = number
    self.digest = digest
    self.user = user
    self.time = time
    self.reason = reason
  }

  /// Nil: it is none of ours.
  public init?(_ value: JSONValue) {
    guard let number = value["revision"]?.integer, number > 0, let digest = value["sha256"]?.string,
      let time = value["time"]?.integer, let reason = value["reason"]?.string
    else { return nil }
    self.init(
      number: number, digest: digest, user: value["user"]?.integer.flatMap { UInt32(exactly: $0) }, time: Int64(time),
      reason: reason)
  }

  public var json: JSONValue {
    [
      "revision": .integer(number), "sha256": .string(digest), "user": user.map { .integer(Int($0)) } ?? .null,
      "time": .integer(Int(time)), "when": .string(TimeText.utc(time)), "reason": .string(reason),
    ]
  }
}
