// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import Simulation
import Testing

/// Transfers through the module, to an end that shares no code with it.
@Suite("BBR over simulated paths")
struct BBRTransferTests {
  /// What is left for the payload by the headers of segments of 1000.
  private static let payload = 1000.0 / 1066

  @Test("Over 40 ms with one loss in a hundred it is ten times as fast as NewReno")
  func randomLoss() throws {
    let bbr = try TransferMeasurement(.bbr, roundTrip: 40, rate: 50, queue: 4, loss: 10, octets: 8_000_000)
    let reno = try TransferMeasurement(.newReno, roundTrip: 40, rate: 50, queue: 4, loss: 10, octets: 2_000_000)
    #expect(bbr.throughput >= 10 * reno.throughput, "\(bbr.throughput), \(reno.throughput)")
    // A bit more than what is lost.
    #expect(bbr.again <= 8_000 / 100 * 2)
  }

  @Test(
    "A path of 20 Mbit/s and 40 ms is known and filled, with no more waiting than it holds", arguments: [true, false])
  func bottleneck(isPaced: Bool) throws {
    let measured = try TransferMeasurement(
      .bbr, roundTrip: 40, rate: 20, queue: 8, octets: 10_000_000, isPaced: isPaced)
    #expect(abs(measured.estimate / (20 * Self.payload) - 1) < 0.1, "\(measured.estimate)")
    #expect(measured.steadyThroughput >= 0.9 * 20 * Self.payload, "\(measured.steadyThroughput)")
    #expect(measured.throughput >= 0.9 * 20 * Self.payload, "\(measured.throughput)")
    #expect(measured.longestRoundTrip <= 80, "\(measured.longestRoundTrip)")
    // What fills a queue of this size loses nothing of it, but waits much longer.
    let reno = try TransferMeasurement(.newReno, roundTrip: 40, rate: 20, queue: 8, octets: 10_000_000)
    #expect(reno.longestRoundTrip > measured.longestRoundTrip)
  }
}
