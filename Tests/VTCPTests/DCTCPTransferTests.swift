// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import Simulation
import Testing

/// Transfers through the module over a queue of 25 KB that marks beyond 10 KB, to an end that shares no code with it.
@Suite("DCTCP over simulated paths")
struct DCTCPTransferTests {
  /// Without a queue; 20 Mbit/s carry 25 KB in it.
  private static let roundTrip: Int64 = 10
  /// Of 10 KB at 20 Mbit/s, milliseconds.
  private static let threshold = 4.0
  /// What is left for the payload by the headers of segments of 1000.
  private static let payload = 1000.0 / 1066

  private func measure(_ algorithm: CongestionAlgorithm, marks: TransferMeasurement.Marks?, octets: Int = 5_000_000)
    throws
    -> TransferMeasurement
  {
    try TransferMeasurement(
      algorithm, roundTrip: Self.roundTrip, rate: 20, queue: 1, octets: octets, marks: marks)
  }

  @Test(
    "A queue that marks stays about as short as its threshold, and the path full, for a guest without ECN as well; CUBIC without marks fills it",
    arguments: [false, true])
  func shortQueue(areOffered: Bool) throws {
    let marks = TransferMeasurement.Marks(above: 10_000, areEchoedEach: true, areOffered: areOffered)
    let measured = try measure(.dctcp, marks: marks)
    #expect(measured.meanRoundTrip <= Double(Self.roundTrip) + Self.threshold, "\(measured.meanRoundTrip)")
    #expect(measured.longestRoundTrip <= Double(Self.roundTrip) + 1.5 * Self.threshold, "\(measured.longestRoundTrip)")
    #expect(measured.steadyThroughput >= 0.95 * 20 * Self.payload, "\(measured.steadyThroughput)")
    #expect(measured.again == 0)
    let cubic = try measure(.cubic, marks: nil, octets: 8_000_000)
    #expect(cubic.longestRoundTrip >= Double(Self.roundTrip) + 2 * Self.threshold, "\(cubic.longestRoundTrip)")
  }

  @Test("With a receiver that echoes until it hears of a reduction the queue is as short; the path may be less full")
  func latchedEcho() throws {
    let measured = try measure(.dctcp, marks: TransferMeasurement.Marks(above: 10_000, areEchoedEach: false))
    #expect(measured.longestRoundTrip <= Double(Self.roundTrip) + 1.5 * Self.threshold, "\(measured.longestRoundTrip)")
    #expect(measured.steadyThroughput >= 0.7 * 20 * Self.payload, "\(measured.steadyThroughput)")
  }
}
