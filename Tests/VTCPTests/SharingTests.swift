// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import Simulation
import Testing

/// Two connections through one queue, each through a module of its own; more of them, and for longer, are in docs/sharing.txt.
@Suite("Two connections share a simulated path")
struct SharingTests {
  /// What is left for the payload by the headers of segments of 1000.
  private static let payload = 1000.0 / 1066

  private func isFilled(_ measured: SharingMeasurement, _ rate: Double) -> Bool {
    measured.throughput[0] + measured.throughput[1] >= 0.9 * rate * Self.payload
  }

  @Test(
    "CUBIC beside CUBIC, and NewReno beside NewReno: with equal round trips both get about as much (RFC 9438, 5.2)",
    arguments: [CongestionAlgorithm.cubic, .newReno])
  func same(algorithm: CongestionAlgorithm) throws {
    let measured = try SharingMeasurement(
      [algorithm, algorithm], over: SharedPath(roundTrip: 20, rate: 10), seconds: 15)
    #expect(abs(measured.share - 0.5) <= 0.1, "\(measured.throughput)")
    #expect(isFilled(measured, 10))
  }

  @Test("On a short path CUBIC takes no more beside NewReno than NewReno would (RFC 9438, 4.3)")
  func friendly() throws {
    let measured = try SharingMeasurement([.newReno, .cubic], over: SharedPath(roundTrip: 10, rate: 10), seconds: 15)
    #expect(abs(measured.share - 0.5) <= 0.15, "\(measured.throughput)")
    #expect(isFilled(measured, 10))
  }

  @Test("DCTCP beside DCTCP: as much, and the queue stays short (RFC 8257)")
  func marks() throws {
    let path = SharedPath(roundTrip: 10, rate: 20, marksAbove: 10_000)
    let measured = try SharingMeasurement([.dctcp, .dctcp], over: path, seconds: 8)
    #expect(abs(measured.share - 0.5) <= 0.1, "\(measured.throughput)")
    #expect(measured.again == [0, 0] && measured.roundTrip[0] <= 16, "\(measured.roundTrip)")
    #expect(isFilled(measured, 20))
  }

  @Test(
    "BBR, version 3, and CUBIC or NewReno live beside each other: neither has less than a tenth",
    arguments: zip([CongestionAlgorithm.cubic, .newReno], [1.0, 4.0]))
  func coexistence(other: CongestionAlgorithm, queue: Double) throws {
    let path = SharedPath(roundTrip: 40, rate: 10, queue: queue)
    let measured = try SharingMeasurement([.bbr3, other], over: path, seconds: 20)
    #expect((0.1...0.9).contains(measured.share), "\(measured.throughput)")
    #expect(isFilled(measured, 10))
  }
}
