// SPDX-License-Identifier: Apache-2.0

/// Which number of a configuration can't be, and what it could.
public struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
  public let field: ConfigurationField
  /// In the field's unit, as `allowed` is.
  public let value: Int
  public let allowed: ClosedRange<Int>

  public init(field: ConfigurationField, value: Int, allowed: ClosedRange<Int>) {
    self.field = field
    self.value = value
    self.allowed = allowed
  }

  public var description: String {
    let unit = field.unit.isEmpty ? "" : " \(field.unit)"
    return "\(field.rawValue) is \(allowed.lowerBound) to \(allowed.upperBound)\(unit), not \(value)"
  }
}
