// SPDX-License-Identifier: Apache-2.0

/// Our metadata by themselves, as `virsh metadata` takes and prints them.
public struct MetadataReading: Equatable, Sendable {
  /// Without what was wrong.
  public let metadata: PolicyMetadata
  /// In the order of the text.
  public let mistakes: [DomainMistake]

  /// Reads a `<policy>` element. One without a namespace is taken for ours: `virsh metadata --set` takes it so and adds ours.
  public init(parsing octets: [UInt8]) throws(DomainMistake) {
    let root = try XMLTree.parse(octets)
    guard root.name.local == "policy", root.name.namespace ?? DomainNames.policyNamespace == DomainNames.policyNamespace
    else {
      throw DomainMistake(root.place, "our metadata begin with <policy xmlns='\(DomainNames.policyNamespace)'>")
    }
    var reader = DomainReader(policyNamespace: root.name.namespace)
    metadata = reader.policy(root)
    mistakes = reader.sortedMistakes
  }
}
