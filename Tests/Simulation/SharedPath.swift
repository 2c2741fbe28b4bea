// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import TCPPolicy
import VTCP

/// A path from two guests to the network with one queue before its rate.
public struct SharedPath: Sendable, CustomStringConvertible {
  /// Milliseconds, without the queue.
  let roundTrip: Int64
  /// Megabits a second.
  let rate: Int64
  /// In parts of what the path holds without one.
  let queue: Double
  /// Bytes in the queue beyond which it marks; each mark is echoed for itself (RFC 8257). 0: it marks nothing.
  let marksAbove: Int

  public init(roundTrip: Int64, rate: Int64, queue: Double = 1, marksAbove: Int = 0) {
    self.roundTrip = roundTrip
    self.rate = rate
    self.queue = queue
    self.marksAbove = marksAbove
  }

  public var description: String {
    "\(roundTrip) ms, \(rate) Mbit/s" + (queue == 1 ? "" : ", queue \(queue)")
      + (marksAbove == 0 ? "" : ", marks above \(marksAbove / 1000) KB")
  }

  /// One of the connections, for ever.
  func schedule(_ algorithm: CongestionAlgorithm, _ place: Int) -> Schedule {
    var schedule = SimulatedTransfer(.network, roundTrip: roundTrip, rate: rate, queue: queue, octets: 1 << 40).schedule
    schedule.seed = UInt64(place + 1)
    schedule.module.flow.mode = .early
    schedule.module.flow.congestionAlgorithm = algorithm
    schedule.network.reportsNewest = true
    schedule.guest.writeSize = schedule.guest.streamLength
    // Who has just left makes room for who comes next: without chance it would always be the same one. Less than a segment takes, so the order
    // of acknowledgments stays.
    schedule.legs[3].jitter = SimulatedTransfer.wireBytes * schedule.legs[2].byteTime / 2
    schedule.legs[2].markBytes = marksAbove
    if marksAbove > 0 {
      (schedule.guest.hasECN, schedule.network.hasECN) = (true, true)
      schedule.network.echoesEachMark = true
    }
    return schedule
  }
}
