// SPDX-License-Identifier: Apache-2.0

import Virtio

/// What a driver that is played offers and how large its rings are.
struct DriverSettings {
  var queuePairs = 1
  var ringSize = 256
  var features = VirtioFeatures.driverDefault
  /// Exactly one format is wanted.
  var isPacked = false

  static let options: Set = ["--connect", "--listen", "--queues", "--ring", "--features", "--seconds"]
  static let switches: Set = ["--packed"]

  private static let named: [String: VirtioFeatures] = [
    "csum": .checksums, "tso": .tcpSegmentation, "uso": .udpSegmentation, "mrg": .mergeableReceiveBuffers,
    "indirect": .indirectDescriptors, "event": .eventIndex,
  ]

  init(_ arguments: Arguments) throws {
    queuePairs = try arguments.number("--queues", in: 1...64, default: 1)
    ringSize = try arguments.number("--ring", in: 16...1024, default: 256)
    isPacked = arguments.isOn("--packed")
    guard isPacked || ringSize & (ringSize - 1) == 0 else { throw BenchError("--ring is a power of two") }
    if let names = arguments["--features"] {
      features = []
      for name in names.split(separator: ",") where name != "none" {
        guard let feature = Self.named[String(name)] else {
          throw BenchError("--features knows \(Self.named.keys.sorted().joined(separator: ", ")), not \(name)")
        }
        features.formUnion(feature)
      }
    }
    features.insert(.version1)
    if isPacked { features.insert(.packedRing) }
    if queuePairs > 1 { features.insert(.multiqueue) }
  }

  /// What of `offered` is taken. A feature that needs another one goes with it (virtio 1.3, 5.1.3.1).
  func accepted(of offered: VirtioFeatures) throws -> VirtioFeatures {
    var result = features.intersection(offered)
    guard result.contains(.version1) else { throw BenchError("the back-end is no modern device") }
    guard !isPacked || result.contains(.packedRing) else { throw BenchError("the back-end has no packed rings") }
    guard queuePairs == 1 || result.contains(.multiqueue) else { throw BenchError("the back-end has one queue pair") }
    if !result.contains(.checksum) { result.subtract([.hostTSO4, .hostTSO6, .hostECN, .hostUSO]) }
    if !result.contains(.guestChecksum) {
      result.subtract([.guestTSO4, .guestTSO6, .guestECN, .guestUSO4, .guestUSO6])
    }
    if result.isDisjoint(with: [.hostTSO4, .hostTSO6]) { result.remove(.hostECN) }
    if result.isDisjoint(with: [.guestTSO4, .guestTSO6]) { result.remove(.guestECN) }
    return result
  }
}

extension VirtioFeatures {
  static let checksums: VirtioFeatures = [.checksum, .guestChecksum]
  static let tcpSegmentation: VirtioFeatures = [.hostTSO4, .hostTSO6, .hostECN, .guestTSO4, .guestTSO6, .guestECN]
  static let udpSegmentation: VirtioFeatures = [.hostUSO, .guestUSO4, .guestUSO6]
  static let driverDefault: VirtioFeatures = [
    .checksums, .tcpSegmentation, .udpSegmentation, .mergeableReceiveBuffers, .indirectDescriptors, .eventIndex,
  ]
  /// What makes frames longer than the MTU arrive.
  static let guestSegmentation: VirtioFeatures = [.guestTSO4, .guestTSO6, .guestUSO4, .guestUSO6]
}
