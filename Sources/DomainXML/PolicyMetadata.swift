// SPDX-License-Identifier: Apache-2.0

public import Wire

/// What our metadata say of a domain: `<policy xmlns='https://vtcp.example/libvirt/1' class= groups=>` and what is in it (docs/libvirt.md).
public struct PolicyMetadata: Equatable, Sendable {
  /// The class of all NICs that say no other; nil: what the policy assigns.
  public var policyClass: String?
  /// Names that the policy can ask for (`group:`), in the order in which they stand.
  public var groups: [String] = []
  /// Of all NICs.
  public var settings: [MetadataSetting] = []
  public var nics: [NICMetadata] = []
  /// Of the element.
  public var place: XMLPlace

  /// What it says of the NIC of that address.
  public func nic(_ address: MACAddress) -> NICMetadata? { nics.first { $0.macAddress == address } }
}
