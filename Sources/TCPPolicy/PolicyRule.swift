// SPDX-License-Identifier: Apache-2.0

/// Which configuration connections get, and in which class they are counted (R11, R18).
public struct PolicyRule: BitwiseCopyable, Equatable, Sendable {
  public var match: FlowMatch
  public var configuration: PolicyName
  /// Several rules may name one class.
  public var flowClass: PolicyName

  public init(_ match: FlowMatch, configuration: PolicyName, flowClass: PolicyName = .fallback) {
    self.match = match
    self.configuration = configuration
    self.flowClass = flowClass
  }
}
