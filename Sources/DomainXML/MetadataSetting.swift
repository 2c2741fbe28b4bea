// SPDX-License-Identifier: Apache-2.0

/// `<set key= value=>` of our metadata: one knob of the policy, in the policy language's words. Which keys there are and who may set
/// them is the policy's matter.
public struct MetadataSetting: Equatable, Sendable {
  public let key: String
  public let value: String
  /// Of the element.
  public let place: XMLPlace
}
