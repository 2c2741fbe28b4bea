// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// Domains that have ended a moment ago: what events still say of them comes too late.
public struct DomainClaims: Sendable {
  /// An event is on its way for less.
  private static let memory = Interval.seconds(10)
  /// More than end within it.
  private static let most = 4096

  private var ended: [String: Instant] = [:]

  public init() {}

  /// The domain starts, or was found running.
  public mutating func begin(_ uuid: String) { ended[uuid] = nil }

  /// The domain has ended.
  public mutating func end(_ uuid: String, now: Instant) {
    if ended.count >= Self.most { ended = ended.filter { now - $0.value < Self.memory } }
    if ended.count < Self.most { ended[uuid] = now }
  }

  /// Whether an event of the domain is one of before its end.
  public mutating func isOver(_ uuid: String, now: Instant) -> Bool {
    guard let end = ended[uuid] else { return false }
    guard now - end < Self.memory else {
      ended[uuid] = nil
      return false
    }
    return true
  }
}
