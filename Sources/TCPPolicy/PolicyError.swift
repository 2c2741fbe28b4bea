// SPDX-License-Identifier: Apache-2.0

/// Why a policy can't be used. Rules are counted from 0.
public enum PolicyError: Error, Equatable, Sendable {
  case tooManyRules(Int, limit: Int)
  case tooManyConfigurations(Int, limit: Int)
  case tooManyClasses(limit: Int)
  /// Two configurations have one name, or one has the name of the fallback.
  case duplicateConfiguration(PolicyName)
  case invalidConfiguration(PolicyName, ConfigurationError)
  case unknownConfiguration(PolicyName, rule: Int)
  case invalidMatch(MatchError, rule: Int)
}
