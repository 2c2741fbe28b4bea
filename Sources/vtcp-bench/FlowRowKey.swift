// SPDX-License-Identifier: Apache-2.0

import Arena

/// 48 octets that tell a flow: two addresses, ports, protocol, tags.
struct FlowRowKey: BitwiseCopyable, Equatable {
  var source: (UInt64, UInt64) = (0, 0)
  var destination: (UInt64, UInt64) = (0, 0)
  var ports: UInt64 = 0
  var network: UInt64 = 0

  /// Like flows of a few guests: what differs is in few octets.
  init(flow: Int = 0) {
    let number = UInt64(flow)
    source = (0xfd00_0000_0000_0000, number % 7)
    destination = (0xfd00_0000_0000_0001, number / 60_000)
    ports = (number % 60_000) << 16 | 443
    network = 6
  }

  static func == (left: Self, right: Self) -> Bool {
    left.source == right.source && left.destination == right.destination && left.ports == right.ports
      && left.network == right.network
  }

  @inline(__always)
  func hash(_ hash: KeyHash) -> UInt64 {
    hash.hash(source.0, source.1, destination.0, destination.1, ports, network)
  }
}
