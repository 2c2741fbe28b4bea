// SPDX-License-Identifier: Apache-2.0

/// Configurations that a connection has one after the other (R50, FIG. 4 and 20). A rule names it as it names a configuration.
public struct PolicyPhases: Equatable, Sendable {
  public static let limit = 8

  public let name: PolicyName
  public let phases: [PolicyPhase]

  public init(name: PolicyName, _ phases: [PolicyPhase]) {
    self.name = name
    self.phases = phases
  }

  /// Itself, if there are two phases at least, of which each ends later than all before it, and only the last with the connection.
  public func validated() throws(PhasesError) -> PolicyPhases {
    guard phases.count >= 2 else { throw .tooFew }
    guard phases.count <= Self.limit else { throw .tooMany(phases.count, limit: Self.limit) }
    for (place, phase) in phases.enumerated() {
      guard let end = phase.end else {
        guard place == phases.count - 1 else { throw .noEnd(phase: place) }
        continue
      }
      guard place < phases.count - 1 else { throw .lastEnds }
      guard end.isAllowed else { throw .notAllowed(phase: place) }
      guard place == 0 || end != .established else { throw .establishedBefore(phase: place) }
      guard phases[..<place].allSatisfy({ $0.end.map { end.isLater(than: $0) } ?? true }) else {
        throw .notLater(phase: place)
      }
    }
    return self
  }
}
