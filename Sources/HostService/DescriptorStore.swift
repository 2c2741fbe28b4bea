// SPDX-License-Identifier: Apache-2.0

/// What is kept for a NIC so that its successor goes on with it: descriptors by name, in the order in which they came, as systemd keeps them.
///
/// What the service opened itself (listener, uplink) is kept under the same names as the NIC would give it.
public struct DescriptorStore<Descriptor> {
  /// One that is kept.
  public struct Entry {
    public let name: String
    public let descriptor: Descriptor
  }

  public private(set) var entries: [Entry] = []
  /// A NIC that goes mad can't use up our descriptors.
  public let limit: Int
  /// How many were refused since there were too many.
  public private(set) var refused = 0

  public init(limit: Int) {
    self.limit = limit
  }

  /// Enough for a NIC of so many queue pairs: four virtqueues for each, each with kick, call and error; its queues of a TAP; memory in as many
  /// slots as QEMU has; and what there is once.
  public static func limit(queuePairs: Int) -> Int { 512 + 13 * queuePairs + 32 }

  public mutating func store(_ descriptors: [Descriptor], name: String) {
    for descriptor in descriptors {
      guard entries.count < limit else {
        refused += 1
        continue
      }
      entries.append(Entry(name: name, descriptor: descriptor))
    }
  }

  public mutating func remove(name: String) {
    entries.removeAll { $0.name == name }
  }

  /// Takes in a message of the NIC's, with the descriptors that came with it.
  public mutating func take(_ message: NotifyMessage, descriptors: [Descriptor]) {
    switch message.keeping {
    case .nothing: break
    case .store: store(descriptors, name: message.name)
    case .remove: remove(name: message.name)
    }
  }

  /// Leaves what a NIC that begins anew may have: where it listens and sends, and nothing of what a front-end gave it.
  public mutating func dropSession() {
    entries.removeAll { !Self.outlivesSession($0.name) }
  }

  /// Everything is opened again, or comes again from a NIC that runs.
  public mutating func removeAll() {
    entries = []
  }

  public func contains(name: String) -> Bool { entries.contains { $0.name == name } }

  private static func outlivesSession(_ name: String) -> Bool {
    name == "listener" || name == "uplink" || name.hasPrefix("uplink-") || name == "control"
  }
}
