// SPDX-License-Identifier: Apache-2.0

/// What concerns us of a domain's XML.
public struct Domain: Equatable, Sendable {
  /// Empty in a definition that libvirt has not taken yet and that has none.
  public var name: String
  /// Nil in a definition that libvirt has not taken yet.
  public var uuid: DomainUUID?
  /// The guest's memory can be mapped by a back-end (`<access mode='shared'/>`, or all NUMA cells `memAccess='shared'`).
  public var isMemoryShared: Bool
  /// Nil: there are none of ours.
  public var metadata: PolicyMetadata?
  /// Those of type `vhostuser`, in their order.
  public var interfaces: [DomainInterface]

  /// The interfaces whose sockets lie in the folder.
  public func interfaces(in folder: String) -> [DomainInterface] { interfaces.filter { $0.lies(in: folder) } }
}
