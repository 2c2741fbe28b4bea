// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Packets
import Timekeeping
import VTCP
import Wire

/// A connection between two model ends through a module, in virtual time: the same parameters give the same run, frame by frame.
///
/// Four ways lead to and from the module. It is watched from outside: by its frames, and by `FlowView`.
public final class Simulation {
  /// A run that takes longer, in virtual time or in steps, hangs.
  static let longest: Int64 = 4_000_000_000_000
  private static let mostSteps = 3_000_000

  var module: VTCPModule
  var hadAccelerated = false
  var tookOver: Int64 = 0
  var takeOvers = 0
  let memory: ByteRegion
  let slots: FrameSlots
  var queue = EventQueue()
  var now: Int64 = 1_000_000
  var steps = 0
  let guest: ModelEnd
  let network: ModelEnd
  var legs: [SimulatedLeg]
  let schedule: Schedule
  /// As it is now.
  var moduleConfiguration: ModuleConfiguration
  var policyChanges = 0
  /// When the module said first that the connection stands.
  var establishedAt: Int64?
  var random: SplitMix64
  let vectors = RecordBuffer<IOVector>(capacity: 64, repeating: .none)
  let head = ByteRegion.allocate(count: SegmentTemplate.maximumHeaderLength)
  private let frameCopy = ByteRegion.allocate(count: FrameSlots.slotBytes)
  var watch: Watch
  let monitor: MonitorWatch
  /// The frame in hand had a bit turned.
  var isCorrupt = false
  /// Frames that have passed and wait for room, in order: to the guest, to the network.
  var waiting: [[(slot: Int32, length: Int32)]] = [[], []]
  public internal(set) var frames = 0
  /// The module had something to do since it was looked at last.
  var isTouched = false
  /// Gets a line for everything that happens to a frame.
  public var trace: ((String) -> Void)?
  /// Is told what became of every frame.
  var told: ((FrameStory) -> Void)?

  /// - Parameter slots: room for frames, which runs that follow each other may share.
  public init(_ schedule: Schedule, slots: FrameSlots = FrameSlots()) throws {
    self.schedule = schedule
    moduleConfiguration = schedule.module
    random = SplitMix64(seed: schedule.seed ^ 0x5eed)
    let configuration = schedule.module
    memory = ByteRegion.allocate(count: VTCPModule.byteCount(configuration), alignment: 4096)
    monitor = MonitorWatch(flowLimit: configuration.flowLimit)
    module = try VTCPModule(
      over: memory, configuration: configuration, policy: try schedule.policy(configuration.flow, change: 0),
      creating: true,
      monitor: monitor.region,
      now: Instant(nanoseconds: 1_000_000))
    module.linkMTU = schedule.linkMTU
    watch = Watch(frameCopy: frameCopy)
    self.slots = slots
    slots.freeAll()
    let up = StreamBytes(seed: schedule.seed &* 3 &+ 1)
    let down = StreamBytes(seed: schedule.seed &* 5 &+ 2)
    guest = ModelEnd(isGuest: true, schedule.guest, bytes: up, peerBytes: down)
    network = ModelEnd(isGuest: false, schedule.network, bytes: down, peerBytes: up)
    legs = (0..<4).map { SimulatedLeg(schedule.legs[$0], seed: schedule.seed &+ UInt64($0) &* 77) }
    guest.open(active: schedule.guestOpens)
    network.open(active: !schedule.guestOpens)
  }

  deinit {
    memory.deallocate()
    vectors.deallocate()
    head.deallocate()
    frameCopy.deallocate()
  }

  /// Runs until both ends are done.
  public func run() throws(Broken) {
    try pump()
    while !(guest.isDone && network.isDone) || queue.count > 0 {
      try step()
      guard now < Self.longest, steps < Self.mostSteps else {
        // The other end of a connection that was reset may never hear of it, and need not.
        if guest.state == .reset || network.state == .reset { return }
        throw Broken("it hangs: \(report)")
      }
      if queue.count == 0, guest.isDone, network.isDone { break }
    }
    try checkReports()
    try watch.checkAgreement(self)
    if takeOvers == 0 { try checkStatistics() }
    if !schedule.hasReset, module.heldChunks != 0, module.flowCount == 0 { throw Broken("chunks without a flow") }
  }

  /// Danger 18: on legs that double nothing, who sent nothing twice is not told that something came twice.
  private func checkReports() throws(Broken) {
    guard schedule.legs.allSatisfy({ $0.duplication == 0 }) else { return }
    for end in [guest, network] where end.retransmissions == 0 && end.duplicateReports > 0 {
      throw Broken("an end is told \(end.duplicateReports) times of duplicates that it did not send: \(report)")
    }
  }

  var isNarrow: Bool { schedule.legs[2].largestPacket > 0 }
  var hasManyRecords: Bool { schedule.module.transmissionLimit >= 4096 }

  /// Whether anything was acknowledged early.
  public var hasAccelerated: Bool { hadAccelerated || module.counters.accelerations > 0 }

  /// Segments that the module kept out of order.
  public var storedSegments: UInt64 { module.counters.storedSegments }

  /// The connection, if the module follows it.
  var view: FlowView? {
    for place in 1..<max(module.placesEnd, 2) { if let view = module.view(at: place) { return view } }
    return nil
  }

  /// What the module has in mind, in short.
  var summary: String {
    guard let view else { return "-" }
    func text(_ side: SideView) -> String {
      "\(side.state) \(side.unacknowledged)/\(side.next)/\(side.expected) in flight \(side.inFlight) of \(side.congestionWindow)"
    }
    return "transmit \(text(view.transmit)), receive \(text(view.receive))"
  }

  public var report: String {
    """
    at \(now / 1_000_000) ms, step \(steps); guest \(guest.state) sent \(guest.unacknowledged)/\(guest.next)/\(guest.highest) of \
    \(guest.parameters.streamLength), edge \(guest.peerEdge), received \(guest.received); network \(network.state) sent \
    \(network.unacknowledged)/\(network.next)/\(network.highest) of \(network.parameters.streamLength), edge \(network.peerEdge), \
    received \(network.received); module \(String(describing: view)) \(module.counters)
    """
  }
}
