// SPDX-License-Identifier: Apache-2.0

public import CongestionControl
import FrameSupport
import TCPPolicy
import Timekeeping
import VTCP

/// What two connections get of a path whose one queue both go through. Each is of another guest, with a module of its own that acknowledges
/// everything early, and always has something to send. The second begins a second after the first.
public struct SharingMeasurement: Sendable {
  /// Of the payload, megabits a second, in the last three quarters of the time.
  public private(set) var throughput = [0.0, 0.0]
  /// Segments sent again, in all.
  public private(set) var again = [0, 0]
  /// The mean round trip of those that were looked at in the last three quarters, milliseconds.
  public private(set) var roundTrip = [0.0, 0.0]

  /// What the first has of what both have.
  public var share: Double { throughput[0] / max(throughput[0] + throughput[1], 1e-9) }

  /// - Parameters:
  ///   - algorithms: of the first and the second.
  ///   - path: round trip, rate and queue.
  ///   - seconds: of virtual time, from the first connection's beginning on.
  public init(_ algorithms: [CongestionAlgorithm], over path: SharedPath, seconds: Int64 = 60) throws {
    let queue = LegQueue()
    let begin: Int64 = 1_000_000
    let end = begin + seconds * 1_000_000_000
    let steady = begin + seconds * 250_000_000
    var simulations: [Simulation] = []
    var times: [Int64] = []
    for (place, algorithm) in algorithms.prefix(2).enumerated() {
      let simulation = try Simulation(path.schedule(algorithm, place))
      simulation.legs[2].queue = queue
      simulation.now = begin + Int64(place) * 1_000_000_000
      times.append(simulation.now)
      simulations.append(simulation)
    }
    var hasBegun = [false, false]
    var received: [Int?] = [nil, nil]
    var (sums, counts) = ([0.0, 0.0], [0.0, 0.0])
    while let time = times.min(), time < end, let place = times.firstIndex(of: time) {
      let simulation = simulations[place]
      if hasBegun[place] { try simulation.step() } else { try simulation.pump() }
      hasBegun[place] = true
      times[place] = try simulation.nextTime()
      guard time >= steady else { continue }
      if received[place] == nil { received[place] = simulation.network.received }
      guard let view = simulation.view else { continue }
      again[place] = Int(view.networkLeg.retransmissions)
      sums[place] += Double(view.transmit.roundTrip.nanoseconds) / 1e6
      counts[place] += 1
    }
    for place in simulations.indices {
      let octets = simulations[place].network.received - (received[place] ?? 0)
      throughput[place] = Double(octets) * 8000 / Double(end - steady)
      roundTrip[place] = sums[place] / max(counts[place], 1)
    }
  }
}
