// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import VTCP

/// What connections cost.
struct MemoryTests {
  @Test("An idle connection takes at most 512 octets, its places in the index and among the timers included")
  func idleConnection() {
    var configuration = ModuleConfiguration()
    configuration.flowLimit = 1 << 16
    let some = VTCPModule.byteCount(configuration)
    configuration.flowLimit = 1 << 20
    let many = VTCPModule.byteCount(configuration)
    let each = Double(many - some) / Double(1 << 20 - 1 << 16)
    #expect(each <= 512, "\(each): Flow \(MemoryLayout<Flow>.stride), two sides \(2 * MemoryLayout<FlowSide>.stride)")
  }

  @Test("Connections that are held, however many and idle, leave room for others to be held")
  func heldConnections() throws {
    #expect(ModuleConfiguration().sendingLimit == 2 * ModuleConfiguration().flowLimit)
    // The same, on a small scale: all that are followed are accelerated both ways.
    let rig = try ModuleRig {
      $0.flowLimit = 4
      $0.sendingLimit = 8
    }
    for port in 1...4 as ClosedRange<UInt16> {
      rig.guestPort = port
      try rig.openAndTalk()
      _ = try rig.network(at: 100, 500, ack: 100)
      _ = try rig.guest(at: 100, 500, ack: 600)
      #expect(try rig.emissions(to: .guest).map { rig.acknowledged($0, to: .guest) } == [600])
    }
  }
}
