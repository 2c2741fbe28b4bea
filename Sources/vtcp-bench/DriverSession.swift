// SPDX-License-Identifier: Apache-2.0

import Polling
import VhostUser
import Virtio

/// A device as its driver and its front-end see it: features, shared memory and the queues that run.
///
/// It asks for no more than every back-end has: one memory region, in one table; acknowledgements and the number of
/// queues only where they are offered.
final class DriverSession {
  /// One virtqueue and its eventfds.
  final class Queue {
    let index: Int
    var ring: DriverQueue
    let kick: OwnedDescriptor
    let call: OwnedDescriptor

    init(index: Int, ring: DriverQueue) throws {
      self.index = index
      self.ring = ring
      kick = try EventDescriptor.make()
      call = try EventDescriptor.make()
    }
  }

  let connection: BackEndConnection
  let features: VirtioFeatures
  let area: SharedArea
  /// Receiveq 0, transmitq 0, receiveq 1, ...
  let queues: [Queue]

  /// Negotiates. `bytesPerQueue`: of guest memory for a queue's buffers, once the features are known.
  init(_ connection: BackEndConnection, _ settings: DriverSettings, bytesPerQueue: (VirtioFeatures) -> Int) throws {
    self.connection = connection
    let offered = VirtioFeatures(rawValue: try connection.ask(.getFeatures))
    let features = try settings.accepted(of: offered)
    self.features = features
    if offered.contains(.protocolFeatures) { try Self.negotiateProtocol(connection, settings) }
    try connection.tell(.setOwner, [])
    let count = 2 * settings.queuePairs
    area = try SharedArea(
      size: count * (DriverQueue.byteCount(size: settings.ringSize) + SharedArea.rounded(bytesPerQueue(features))))
    let memory = area
    queues = try (0..<count).map { index in
      try Queue(
        index: index,
        ring: DriverQueue(
          format: settings.isPacked ? .packed : .split, size: settings.ringSize,
          eventIndex: features.contains(.eventIndex), in: memory))
    }
    let protocolBit = offered.intersection(.protocolFeatures)
    try connection.tell(.setFeatures, [features.union(protocolBit).rawValue])
  }

  private static func negotiateProtocol(_ connection: BackEndConnection, _ settings: DriverSettings) throws {
    let wanted: ProtocolFeatures = [.multiqueue, .replyAck]
    let chosen = wanted.intersection(ProtocolFeatures(rawValue: try connection.ask(.getProtocolFeatures)))
    try connection.tell(.setProtocolFeatures, [chosen.rawValue])
    connection.acknowledges = chosen.contains(.replyAck)
    guard settings.queuePairs > 1 else { return }
    guard chosen.contains(.multiqueue), try connection.ask(.getQueueNum) >= UInt64(settings.queuePairs) else {
      throw BenchError("the back-end has fewer queue pairs")
    }
  }

  /// Starts every queue. What the rings hold by then is served.
  func start() throws {
    try connection.tell(
      .setMemTable, [1, SharedArea.guestAddress, UInt64(area.size), SharedArea.guestAddress, 0],
      descriptors: [area.file.rawValue])
    for queue in queues {
      let place = queue.ring.place
      try connection.tell(.setVringNum, vring: queue.index, UInt32(queue.ring.size))
      try connection.tell(.setVringBase, vring: queue.index, queue.ring.base)
      try connection.tell(
        .setVringAddr, [UInt64(queue.index), place.descriptors, place.device, place.driver, 0])
      try connection.tell(.setVringCall, [UInt64(queue.index)], descriptors: [queue.call.rawValue])
      try connection.tell(.setVringKick, [UInt64(queue.index)], descriptors: [queue.kick.rawValue])
    }
    for queue in queues { try connection.tell(.setVringEnable, vring: queue.index, 1) }
    // Answered when everything before it was handled.
    _ = try connection.ask(.getFeatures)
    for queue in queues { EventDescriptor.signal(queue.kick.rawValue) }
  }
}
