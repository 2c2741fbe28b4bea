// SPDX-License-Identifier: Apache-2.0

public import CongestionControl
import TCPPolicy
import Timekeeping
import VTCP

/// What a transfer from the guest over a path of a rate gets of it, with everything acknowledged early.
public struct TransferMeasurement: Sendable {
  /// Of the payload, megabits a second, from the begin to the last octet; and in the second half of it alone.
  public private(set) var throughput = 0.0
  public private(set) var steadyThroughput = 0.0
  /// The rate that the module thinks the path carries, at the end; 0: its algorithm does not ask.
  public private(set) var estimate = 0.0
  /// The longest round trip in the second half, and the mean of those that were looked at, milliseconds.
  public private(set) var longestRoundTrip = 0.0
  public private(set) var meanRoundTrip = 0.0
  /// Segments sent again.
  public private(set) var again = 0

  /// A queue that marks, and how its marks are echoed.
  public struct Marks: Sendable {
    /// Bytes.
    let above: Int
    /// Each for itself (RFC 8257); else until the sender says that it has reduced.
    let areEchoedEach: Bool
    /// The guest has no ECN, and the module speaks it in its place.
    let areOffered: Bool

    public init(above: Int, areEchoedEach: Bool, areOffered: Bool = false) {
      self.above = above
      self.areEchoedEach = areEchoedEach
      self.areOffered = areOffered
    }
  }

  /// - Parameters:
  ///   - roundTrip: milliseconds, without the queue.
  ///   - rate: megabits a second.
  ///   - queue: in parts of what the path holds without one.
  ///   - loss: of 1024.
  ///   - marks: nil: there are none.
  public init(
    _ algorithm: CongestionAlgorithm, roundTrip: Int64, rate: Int64, queue: Double, loss: Int = 0, octets: Int,
    isPaced: Bool = true, marks: Marks? = nil
  ) throws {
    let transfer = SimulatedTransfer(
      .network, roundTrip: roundTrip, rate: rate, queue: queue, loss: loss, octets: octets)
    var schedule = transfer.schedule
    schedule.module.flow.mode = .early
    schedule.module.flow.congestionAlgorithm = algorithm
    schedule.module.flow.isPaced = isPaced
    schedule.network.reportsNewest = true
    if let marks {
      schedule.legs[2].markBytes = marks.above
      (schedule.guest.hasECN, schedule.network.hasECN) = (!marks.areOffered, true)
      if marks.areOffered { schedule.module.flow.overrides.ecn = .offer }
      schedule.network.echoesEachMark = marks.areEchoedEach
    }
    let simulation = try Simulation(schedule)
    let begin = simulation.now
    var half: Int64?
    var (sum, count) = (0.0, 0.0)
    try simulation.pump()
    while simulation.network.received <= octets {
      try simulation.step()
      guard let view = simulation.view else { continue }
      again = Int(view.networkLeg.retransmissions)
      if view.transmit.deliveryRate > 0 { estimate = Double(view.transmit.deliveryRate) * 8 / 1e6 }
      if half == nil, simulation.network.received >= octets / 2 { half = simulation.now }
      guard half != nil else { continue }
      let roundTrip = Double(view.transmit.roundTrip.nanoseconds) / 1e6
      longestRoundTrip = max(longestRoundTrip, roundTrip)
      sum += roundTrip
      count += 1
    }
    meanRoundTrip = count > 0 ? sum / count : 0
    throughput = Double(octets) * 8000 / Double(simulation.now - begin)
    steadyThroughput = Double(octets - octets / 2) * 8000 / Double(simulation.now - (half ?? begin))
  }
}
