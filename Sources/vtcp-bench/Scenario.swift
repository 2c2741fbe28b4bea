// SPDX-License-Identifier: Apache-2.0

import Uplinks
import Virtio

/// One way for frames through the NIC.
struct Scenario {
  enum Direction { case transmit, receive }
  enum Network: Equatable {
    case null
    case socket
    /// What the command line names, and a packet socket on the interface at its other end.
    case system(UplinkSpecification, peer: UplinkSpecification)
  }
  enum Content {
    /// 64 bytes of UDP, nothing asked for.
    case small
    /// 1500 bytes of UDP, nothing asked for.
    case full
    /// TCP with 600 bytes of payload, to be cut into segments of 200.
    case segmented
    /// TCP with as many segments of 1448 as Linux sends at once.
    case large
  }

  var name: String
  var direction: Direction
  var network = Network.socket
  var format = RingFormat.split
  var shape = ChainShape.single
  var content = Content.small
  /// Queue pairs; two share the one queue of a socket, so that flows are learned and steered.
  var pairs = 1
  var bufferBytes = 2048
  /// What the driver negotiated besides `VIRTIO_F_VERSION_1`.
  var features: VirtioFeatures = []

  static let allOffloads: VirtioFeatures = [
    .guestChecksum, .guestTSO4, .guestTSO6, .guestECN, .guestUSO4, .guestUSO6, .mergeableReceiveBuffers,
  ]

  static let all: [Scenario] = RingFormat.both.flatMap { format in
    [
      Scenario(name: "transmit, null, single descriptors", direction: .transmit, network: .null),
      Scenario(name: "transmit, null, chains of two", direction: .transmit, network: .null, shape: .chained),
      Scenario(name: "transmit, null, indirect", direction: .transmit, network: .null, shape: .indirect),
      Scenario(name: "transmit, null, TSO", direction: .transmit, network: .null, content: .segmented),
      Scenario(name: "transmit, socket", direction: .transmit),
      Scenario(name: "transmit, socket, learning", direction: .transmit, pairs: 2),
      Scenario(
        name: "receive in place", direction: .receive, content: .large, bufferBytes: 4096, features: allOffloads),
      Scenario(name: "receive staged, small", direction: .receive, features: allOffloads),
      Scenario(name: "receive staged, TSO", direction: .receive, content: .segmented, features: allOffloads),
      Scenario(name: "receive staged, no offloads", direction: .receive, features: .mergeableReceiveBuffers),
      Scenario(name: "receive staged, not merged", direction: .receive),
      Scenario(
        name: "receive staged, merged from 256 B", direction: .receive, content: .segmented, bufferBytes: 256,
        features: allOffloads),
      Scenario(
        name: "receive staged, cut", direction: .receive, content: .segmented,
        features: .mergeableReceiveBuffers),
      Scenario(name: "receive steered", direction: .receive, pairs: 2, features: allOffloads),
    ].map { scenario in
      var scenario = scenario
      scenario.format = format
      return scenario
    }
  }
}

extension RingFormat {
  static let both = [RingFormat.split, .packed]
}
