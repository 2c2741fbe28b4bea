// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Timekeeping

@testable import Monitoring

/// A region and its writer.
final class MonitorRig {
  static let identity = MonitorIdentity(
    process: 4711, started: Instant(nanoseconds: 5_000_000_000), mode: 2, uplink: "tap:vm1", socket: "/run/vm1.sock")

  let memory: ByteRegion
  let writer: MonitorRegion

  init(flowLimit: Int = 4) {
    memory = ByteRegion.allocate(count: MonitorRegion.byteCount(flowLimit: flowLimit), alignment: 4096)
    writer = MonitorRegion(creatingIn: memory, identity: Self.identity, flowLimit: flowLimit)
  }

  deinit { memory.deallocate() }

  func snapshot() throws -> MonitorSnapshot { try MonitorReader(over: memory).snapshot() }

  /// A connection that stands, with a number in each counter.
  static func report(counters: UInt32 = 0, acknowledged: UInt32 = 1000) -> FlowReport {
    var report = FlowReport()
    report.guestAddressLow = 0x0a00_020f
    report.networkAddressLow = 0x5db8_d822
    report.guestPort = 43210
    report.networkPort = 443
    report.ipVersion = 4
    report.phase = 3
    report.lastSeen = 7_000_000_000
    report.networkAcknowledged = acknowledged
    report.network.state = 2
    report.network.segmentSize = 1448
    report.network.smoothedRoundTrip = 20_100
    report.network.roundTripVariation = 500
    report.network.minimumRoundTrip = 19_870
    report.network.congestionWindow = 14_480
    report.network.slowStartThreshold = 10_136
    report.network.inFlight = 3000
    report.network.window = 64_000
    report.network.held = 5000
    report.network.owned = 4000
    for counter in LegCounter.allCases { report.network[counter] = counters }
    return report
  }
}
