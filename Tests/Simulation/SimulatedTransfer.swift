// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import TCPPolicy
import VTCP

/// One transfer from the guest over a path of a rate with a queue, or to it: how long it takes, and how the window moves meanwhile.
struct SimulatedTransfer {
  static let segment = 1000
  /// A frame with so much.
  static let wireBytes: Int64 = 1066
  /// How often the window is looked at.
  private static let places = 10

  var name: String
  var schedule: Schedule
  let octets: Int
  private let isTransmit: Bool
  var isToGuest: Bool { !isTransmit }

  /// - Parameters:
  ///   - roundTrip: milliseconds, without the queue.
  ///   - rate: megabits a second.
  ///   - queue: in parts of what the path holds without one.
  ///   - loss: of 1024.
  ///   - octets: how much is sent.
  ///   - stalls: the guest runs for 30 ms of each 90.
  init(
    _ direction: Leg, roundTrip: Int64, rate: Int64, queue: Double = 1, loss: Int = 0, octets: Int = 2_000_000,
    stalls: Bool = false
  ) {
    self.octets = octets
    isTransmit = direction == .network
    name = "to \(direction) \(roundTrip) ms, \(rate) Mbit/s"
    if queue != 1 { name += ", queue \(queue)" }
    if loss > 0 { name += ", \(loss)/1024 lost" }
    if stalls { name += ", guest stalls" }
    schedule = Schedule(seed: 1)
    schedule.module.chunkLimit = 4096
    schedule.module.flow.transmitBufferSize = 1 << 20
    schedule.module.flow.receiveBufferSize = 1 << 20
    for keyPath in [\Schedule.guest, \Schedule.network] {
      schedule[keyPath: keyPath].bufferSize = 1 << 20
      schedule[keyPath: keyPath].maximumSegmentSize = Self.segment
      schedule[keyPath: keyPath].streamLength = 0
    }
    if isTransmit { schedule.guest.streamLength = octets } else { schedule.network.streamLength = octets }
    for way in [0, 1] {
      schedule.legs[way].delay = 10_000
      if stalls { (schedule.legs[way].stallOff, schedule.legs[way].stallOn) = (60_000_000, 30_000_000) }
    }
    for way in [2, 3] {
      schedule.legs[way].delay = roundTrip * 500_000
      schedule.legs[way].byteTime = 8_000 / rate
    }
    let narrow = isTransmit ? 2 : 3
    schedule.legs[narrow].loss = loss
    schedule.legs[narrow].queueBytes = Int(Double(rate * 125 * roundTrip) * queue)
  }

  /// A row: time until all is acknowledged to the sender, and until the receiver has it; throughput; what was sent again towards the
  /// receiver; the window in segments at ten moments.
  func row(_ mode: AccelerationMode, _ algorithm: CongestionAlgorithm) throws(Broken) -> String {
    var schedule = schedule
    schedule.module.flow.mode = mode
    schedule.module.flow.congestionAlgorithm = algorithm
    let simulation: Simulation
    do { simulation = try Simulation(schedule) } catch { throw Broken("\(error)") }
    let (sender, receiver) =
      isTransmit ? (simulation.guest, simulation.network) : (simulation.network, simulation.guest)
    let begin = simulation.now
    var acknowledged: Int64?
    var delivered: Int64?
    var windows: [(time: Int64, segments: Int)] = []
    var again = 0
    try simulation.pump()
    while delivered == nil || acknowledged == nil {
      try simulation.step()
      if acknowledged == nil, sender.unacknowledged > octets { acknowledged = simulation.now - begin }
      if delivered == nil, receiver.received > octets { delivered = simulation.now - begin }
      guard let view = simulation.view else { continue }
      again = Int(isTransmit ? view.networkLeg.retransmissions : view.guestLeg.retransmissions)
      let window = (isTransmit ? view.transmit : view.receive).congestionWindow
      guard window > 0, window < CongestionControl.unlimited else { continue }
      windows.append((simulation.now - begin, window / Self.segment))
    }
    guard let delivered, let acknowledged else { throw Broken("\(name): it does not end") }
    let rate = Double(octets) * 8 / Double(delivered) * 1000
    var cells = [Self.left(name, 44), Self.left("\(mode) \(mode == .off ? "" : "\(algorithm)")", 15)]
    cells += [acknowledged / 1_000_000, delivered / 1_000_000].map { Self.right("\($0)", 7) }
    cells += [
      Self.right("\((rate * 10).rounded() / 10)", 6), Self.right("\(sender.retransmissions)", 5),
      Self.right("\(again)", 5),
    ]
    let shown = (1...Self.places).map { place -> String in
      let time = delivered * Int64(place) / Int64(Self.places)
      guard let last = windows.last(where: { $0.time <= time }) else { return "-" }
      return "\(last.segments)"
    }
    cells += shown.map { Self.right($0, 4) }
    return cells.joined(separator: " ")
  }

  static let header =
    [
      left("path", 44), left("module", 15), right("acked", 7), right("here ms", 7), right("Mb/s", 6), right("again", 5),
      right("ours", 5),
    ]
    .joined(separator: " ") + "  window, segments, at each tenth"

  private static func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
