// SPDX-License-Identifier: Apache-2.0

public import Wire

/// What our metadata say of one NIC: `<nic mac= class=>`.
public struct NICMetadata: Equatable, Sendable {
  public let macAddress: MACAddress
  /// Nil: the domain's.
  public let policyClass: String?
  public let settings: [MetadataSetting]
  /// Of the element.
  public let place: XMLPlace
}
