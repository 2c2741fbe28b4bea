// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import Simulation
import Testing

/// Transfers through the module, to an end that shares no code with it.
@Suite("BBR, version 3, over simulated paths")
struct BBR3TransferTests {
  @Test("Over 40 ms with one loss in a hundred it is ten times as fast as NewReno")
  func randomLoss() throws {
    let (bbr, reno) = try TransferMeasurement.lossy(.bbr3, octets: 4_000_000)
    #expect(bbr.throughput >= 10 * reno.throughput, "\(bbr.throughput), \(reno.throughput)")
    #expect(bbr.again <= 4_000 / 100 * 2, "\(bbr.again)")
  }

  @Test(
    "A path of 20 Mbit/s and 40 ms is known and filled, and little waits in a queue that could hold eight times as much"
  )
  func bottleneck() throws {
    let measured = try TransferMeasurement(throughDeepQueue: .bbr3, octets: 5_000_000)
    #expect(measured.knowsBottleneck, "\(measured)")
    #expect(measured.meanRoundTrip <= 50, "\(measured.meanRoundTrip)")
  }

  @Test("A queue of a quarter of what the path holds costs few segments")
  func shortQueue() throws {
    let measured = try TransferMeasurement(.bbr3, roundTrip: 40, rate: 20, queue: 0.25, octets: 3_000_000)
    #expect(measured.throughput >= 0.8 * TransferMeasurement.payload(20), "\(measured.throughput)")
    #expect(measured.again <= 500, "\(measured.again)")
  }
}
