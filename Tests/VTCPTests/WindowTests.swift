// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import Testing
import Wire

@testable import Simulation
@testable import VTCP

/// Windows that the module shows, and what it makes of what comes within them.
struct WindowTests {
  @Test(
    "What a shown window allows is taken, though windows count in units of a kibibyte",
    arguments: [9_000, 10_000, 10_239], [1, 20])
  func shownWindowIsKept(bufferSize: Int, burst: Int) throws {
    let rig = try ModuleRig { $0.flow.transmitBufferSize = UInt32(bufferSize) }
    try rig.open {
      $0.windowScale = 10
      $0.window = 1
    }
    _ = try rig.guest(at: 0, 100)
    _ = try rig.network(ack: 100, window: 1)
    var sent = 100
    var edge = 1100
    var toNetwork = 100
    var acknowledged = 100
    for _ in 0..<300 {
      // As much as it may, in pieces that end at no unit, some before it hears of the first.
      while sent < edge {
        for _ in 0..<burst where sent < edge {
          let count = min(burst > 1 ? 100 : 777, edge - sent)
          if try rig.guest(at: sent, count) != nil { toNetwork = max(toNetwork, sent + count) }
          sent += count
        }
        for segment in try rig.emissions(to: .guest) {
          edge = max(edge, rig.acknowledged(segment, to: .guest) + Int(segment.window) << 10)
        }
      }
      for segment in try rig.emissions(to: .network) {
        toNetwork = max(toNetwork, rig.place(segment, to: .network) + segment.payloadCount)
      }
      // A receiver that reads slowly.
      acknowledged = min(acknowledged + 333, toNetwork)
      rig.tick(20)
      let passed = try rig.network(ack: acknowledged, window: 4)
      for segment in try [passed].compactMap({ $0 }) + rig.emissions(to: .guest) {
        edge = max(edge, rig.acknowledged(segment, to: .guest) + Int(segment.window) << 10)
      }
    }
    let side = try #require(rig.view?.transmit)
    #expect(rig.module.counters.droppedSegments == 0 && rig.module.counters.implausible == 0)
    #expect(side.expected - side.unacknowledged == sent - acknowledged)
    #expect(sent > 90_000, "\(sent) octets in all: the window was not used up")
  }
}
