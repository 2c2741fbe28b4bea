// SPDX-License-Identifier: Apache-2.0

public import DomainXML

/// The domain that a NIC is bound to.
public struct HookOwner: Equatable, Sendable {
  public let name: String
  public let uuid: DomainUUID

  public init(name: String, uuid: DomainUUID) {
    self.name = name
    self.uuid = uuid
  }
}
