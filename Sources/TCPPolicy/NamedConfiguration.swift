// SPDX-License-Identifier: Apache-2.0

/// A configuration that rules can name.
public struct NamedConfiguration: BitwiseCopyable, Equatable, Sendable {
  public let name: PolicyName
  public let configuration: FlowConfiguration

  public init(name: PolicyName, configuration: FlowConfiguration) {
    self.name = name
    self.configuration = configuration
  }
}
