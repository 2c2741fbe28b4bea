// SPDX-License-Identifier: Apache-2.0

/// What is wrong with a sequence of phases. Phases are counted from 0.
public enum PhasesError: Error, Equatable, Sendable, CustomStringConvertible {
  case tooFew
  case tooMany(Int, limit: Int)
  /// One that is not the last has no end.
  case noEnd(phase: Int)
  /// The last has one.
  case lastEnds
  case notAllowed(phase: Int)
  /// One that is not the first ends with the handshake.
  case establishedBefore(phase: Int)
  /// One ends no later than one before it.
  case notLater(phase: Int)

  /// The phase that is wrong; nil: the whole.
  var phase: Int? {
    switch self {
    case .tooFew, .lastEnds: nil
    case .tooMany(_, let limit): limit
    case .noEnd(let phase), .notAllowed(let phase), .establishedBefore(let phase), .notLater(let phase): phase
    }
  }

  public var description: String {
    switch self {
    case .tooFew: "there are two phases at least"
    case .tooMany(let count, let limit): "there are \(count) phases, and may be \(limit)"
    case .noEnd: "a phase that another one follows has an end: until=1MiB, until=5s or until=established"
    case .lastEnds: "what follows the last until is not said: a configuration stands at the end"
    case .notAllowed: "until is established, 1 to \(PhaseEnd.allowedOctets.upperBound) octets, or 1us to 86400s"
    case .establishedBefore: "only the first phase can end with the handshake"
    case .notLater: "a phase ends later than those before it: until counts from the beginning of the connection"
    }
  }
}
