// SPDX-License-Identifier: Apache-2.0

/// Why a policy can't be used. Rules are counted from 0.
public enum PolicyError: Error, Equatable, Sendable, CustomStringConvertible {
  case tooManyRules(Int, limit: Int)
  case tooManyConfigurations(Int, limit: Int)
  /// Together with the configurations that there are.
  case tooManyPhases(Int, limit: Int)
  case tooManyClasses(limit: Int)
  /// Two configurations, or phases, have one name, or one has the name of the fallback.
  case duplicateConfiguration(PolicyName)
  case invalidConfiguration(PolicyName, ConfigurationError)
  case invalidPhases(PolicyName, PhasesError)
  /// The first name is that of the sequence of phases.
  case unknownPhase(PolicyName, PolicyName)
  case unknownConfiguration(PolicyName, rule: Int)
  case invalidMatch(MatchError, rule: Int)

  public var description: String {
    switch self {
    case .tooManyRules(let count, let limit): "there are \(count) rules, and may be \(limit)"
    case .tooManyConfigurations(let count, let limit): "there are \(count) configurations, and may be \(limit)"
    case .tooManyPhases(let count, let limit):
      "there are \(count) configurations and phases, and may be \(limit)"
    case .tooManyClasses(let limit): "there may be \(limit) classes"
    case .duplicateConfiguration(let name): "there are two configurations \(name)"
    case .invalidConfiguration(let name, let error): "configuration \(name): \(error)"
    case .invalidPhases(let name, let error): "phases \(name): \(error)"
    case .unknownPhase(let phases, let name): "phases \(phases): there is no configuration \(name)"
    case .unknownConfiguration(let name, _): "there is no configuration \(name)"
    case .invalidMatch(let error, _): "\(error)"
    }
  }
}
