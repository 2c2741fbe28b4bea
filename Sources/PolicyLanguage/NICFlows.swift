// SPDX-License-Identifier: Apache-2.0

public import TCPPolicy

/// A NIC, and connections that it has.
public struct NICFlows: Sendable {
  public let nic: NICFacts
  public let overrides: [PolicyOverride]
  public let flows: [ConnectionFacts]

  public init(_ nic: NICFacts, overrides: [PolicyOverride] = [], flows: [ConnectionFacts] = []) {
    self.nic = nic
    self.overrides = overrides
    self.flows = flows
  }
}
