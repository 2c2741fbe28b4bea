// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import Simulation
import Testing

/// Transfers through the module, to an end that shares no code with it.
@Suite("BBR, version 3, over simulated paths")
struct BBR3TransferTests {
  /// What is left for the payload by the headers of segments of 1000.
  private static let payload = 1000.0 / 1066

  @Test("Over 40 ms with one loss in a hundred it is ten times as fast as NewReno")
  func randomLoss() throws {
    let bbr = try TransferMeasurement(.bbr3, roundTrip: 40, rate: 50, queue: 4, loss: 10, octets: 4_000_000)
    let reno = try TransferMeasurement(.newReno, roundTrip: 40, rate: 50, queue: 4, loss: 10, octets: 1_000_000)
    #expect(bbr.throughput >= 10 * reno.throughput, "\(bbr.throughput), \(reno.throughput)")
    #expect(bbr.again <= 4_000 / 100 * 2, "\(bbr.again)")
  }

  @Test(
    "A path of 20 Mbit/s and 40 ms is known and filled, and little waits in a queue that could hold eight times as much"
  )
  func bottleneck() throws {
    let measured = try TransferMeasurement(.bbr3, roundTrip: 40, rate: 20, queue: 8, octets: 5_000_000)
    #expect(abs(measured.estimate / (20 * Self.payload) - 1) < 0.1, "\(measured.estimate)")
    #expect(measured.steadyThroughput >= 0.9 * 20 * Self.payload, "\(measured.steadyThroughput)")
    #expect(measured.throughput >= 0.9 * 20 * Self.payload, "\(measured.throughput)")
    #expect(measured.longestRoundTrip <= 80, "\(measured.longestRoundTrip)")
    #expect(measured.meanRoundTrip <= 50, "\(measured.meanRoundTrip)")
  }

  @Test("A queue of a quarter of what the path holds costs few segments")
  func shortQueue() throws {
    let measured = try TransferMeasurement(.bbr3, roundTrip: 40, rate: 20, queue: 0.25, octets: 3_000_000)
    #expect(measured.throughput >= 0.8 * 20 * Self.payload, "\(measured.throughput)")
    #expect(measured.again <= 500, "\(measured.again)")
  }
}
