// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import Simulation
import Testing

/// Transfers through the module, to an end that shares no code with it.
@Suite("BBR over simulated paths")
struct BBRTransferTests {
  @Test("Over 40 ms with one loss in a hundred it is ten times as fast as NewReno")
  func randomLoss() throws {
    let (bbr, reno) = try TransferMeasurement.lossy(.bbr, octets: 8_000_000)
    #expect(bbr.throughput >= 10 * reno.throughput, "\(bbr.throughput), \(reno.throughput)")
    // A bit more than what is lost.
    #expect(bbr.again <= 8_000 / 100 * 2)
  }

  @Test(
    "A path of 20 Mbit/s and 40 ms is known and filled, with no more waiting than it holds", arguments: [true, false])
  func bottleneck(isPaced: Bool) throws {
    let measured = try TransferMeasurement(throughDeepQueue: .bbr, octets: 10_000_000, isPaced: isPaced)
    #expect(measured.knowsBottleneck, "\(measured)")
    // What fills a queue of this size loses nothing of it, but waits much longer.
    let reno = try TransferMeasurement(throughDeepQueue: .newReno, octets: 10_000_000)
    #expect(reno.longestRoundTrip > measured.longestRoundTrip)
  }
}
