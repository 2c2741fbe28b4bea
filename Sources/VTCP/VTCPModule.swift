// SPDX-License-Identifier: Apache-2.0

public import Arena
import LossRecovery
public import Memory
public import Monitoring
public import Packets
public import TCPPolicy
public import Timekeeping
import Wire

/// The TCP acceleration module of US 9,385,959 (FIG. 5, 500), between a guest and its network. See docs/vtcp.md.
///
/// Pure: frames and the time go in, verdicts and frames come out. All that connections own lies in the memory that it is
/// given; another process may open it and go on.
///
/// # What the caller does
///
/// 1. It hands each frame to `arrive` before the other side has it, and does with it what the verdict says. Of a frame that was
///    to pass but for which the leg had no room it says `passFailed`, or keeps it and sends it later; it does not hand it over again.
/// 2. Whenever a leg takes frames, it asks `emit` for the module's own, and says `emitted` or `notEmitted` of each.
/// 3. It calls `timersDue` at `nextDeadline`.
/// 4. While `isAdopting`, it calls `continueAdopting` once a turn.
public final class VTCPModule {
  let configuration: ModuleConfiguration
  let store: FlowStore
  let identification: DataFlowIdentification
  let timers: TimerWheel
  /// Where octets go that are summed and not kept.
  let scratch: ByteRegion
  /// A SYN that has grown, and its bytes: 0 if that in hand has not.
  let grown: ByteRegion
  var grownCount = 0
  /// Bytes behind the Ethernet header that the NIC's link takes.
  public var linkMTU = VTCPModule.ethernetMTU
  private let sharedCounters: RecordBuffer<ModuleCounters>
  let flowPolicies: FlowPolicyRoom
  /// The policy in force.
  var policies: PolicyTable
  /// While connections are still to be told of it.
  var policyChange: PolicyChange?
  /// Which of two policies in a row it is; 0 or 1.
  var policyTurn: UInt8 = 0
  /// The weights of all sides that hold something, or may, added up (R42).
  var weightInUse = 0
  /// What leaves to each leg at a rate; and whether anything does, or waits for what did.
  var shapingToGuest = LegShaping()
  var shapingToNetwork = LegShaping()
  var isShaping = false
  /// The most segments of a frame to the network that is to be cut: what the uplink takes. At most 65,536.
  public var mostSegmentsToNetwork = 65_536
  /// Sides in the state `limiting`.
  var limitingCount = 0
  var pending = PendingEmission()
  /// What `passFailed` would undo.
  var passed = PassedData()
  /// The first SACK block of the packet in hand reports what we sent twice, which is nothing to the sender (danger 18).
  var hidesReport = false
  /// The packet in hand passes with data that were never sent before.
  var passesNew = false
  /// The packet in hand is a duplicate acknowledgment that says nothing by SACK.
  var isDuplicateInHand = false
  /// Nothing new is acknowledged early: the NIC is about to stop or to move.
  public internal(set) var isQuiescing = false
  /// Until when the guest counts as one that waits for its processor.
  var stallsUntil = Instant(nanoseconds: 0)
  /// When the guest was heard last, and between which moments it was silent the last time.
  var heard = Instant(nanoseconds: 0)
  var silenceBegin = Instant(nanoseconds: 0)
  var silenceEnd = Instant(nanoseconds: 0)
  /// Until when it did not run, the last time that somebody waited for it; since when it has not again and again, for how long in all, and how long it
  /// was silent in that time.
  var stallEnd = Instant(nanoseconds: Int64.min / 2)
  var stallsBegin = Instant(nanoseconds: Int64.min / 2)
  var stalled = Interval.zero
  var silent = Interval.zero
  /// Options that were taken out of the SYN in hand.
  var takenOut: TCPOptionKinds = []
  /// The connection of the packet before, of which the next one often is as well.
  var lastFlow = RecordIndex.none
  /// Whether packets of connections that are only watched take the short way. Both ways leave the same; tests compare them.
  var usesShortWay = true
  /// Round trips of what is not held.
  let passingTimes: PassingTimes
  /// Where others see what the module does, and the connections that are to be written there.
  let monitor: MonitorRegion?
  let touched: RecordBuffer<RecordIndex>
  var touchedCount = 0
  /// The one that was marked last, and need not be looked at again.
  var lastTouched = RecordIndex.none

  /// What happened since the memory was made, whoever served it.
  public internal(set) var counters: ModuleCounters {
    get { sharedCounters[0] }
    _modify { yield &sharedCounters[0] }
  }

  /// Bytes of memory that a module needs.
  public static func byteCount(_ configuration: ModuleConfiguration) -> Int { ModuleMemory.byteCount(configuration) }

  /// Whether there is a module's memory, to go on with.
  public static func isPresent(in memory: ByteRegion) -> Bool { ModuleMemory.isPresent(in: memory) }

  /// - Parameters:
  ///   - memory: `byteCount` bytes that begin on a page.
  ///   - policy: which configuration a connection gets; nil: all get `configuration.flow`.
  ///   - creating: whether to begin with no connections, in memory that is all zero; else to go on with those that are there, whoever
  ///     had them and whenever that one was killed. What was promised to their ends is kept.
  ///   - monitor: where to tell others of it; as many connections as `configuration` has find room in it.
  public init(
    over memory: ByteRegion, configuration: ModuleConfiguration, policy: Classifier? = nil, creating: Bool,
    monitor: MonitorRegion? = nil, now: Instant
  ) throws(ArenaError) {
    self.configuration = configuration
    let parts = try ModuleMemory(over: memory, configuration, creating: creating, now: now)
    // Nothing is allocated before what may fail.
    flowPolicies = FlowPolicyRoom(
      repeating: FlowPolicy(configuration.flow, reservedRecords: configuration.sendingLimit))
    policies = PolicyTable(policy, configuration, in: flowPolicies, turn: 0)
    store = parts.store
    sharedCounters = parts.counters
    timers = parts.timers
    identification = DataFlowIdentification(flows: parts.store.flows, index: parts.index, seed: parts.seed)
    scratch = ByteRegion.allocate(count: ChunkPool.chunkBytes)
    grown = ByteRegion.allocate(count: FrameLayout.recommendedHeaderBytes)
    passingTimes = PassingTimes()
    self.monitor = monitor
    touched = RecordBuffer(capacity: Self.mostTouched, repeating: .none)
    if !creating { takeOver(now) }
    weightInUse = weightOfAll()
    shape(now)
    monitor?.setFlowLimit(flowLimit)
    monitor?.nameClasses(policies.classNames.map(\.description))
    publishAll()
  }

  deinit {
    scratch.deallocate()
    grown.deallocate()
    passingTimes.deallocate()
    policies.deallocate()
    policyChange?.deallocate()
    flowPolicies.deallocate()
    touched.deallocate()
  }

  /// Takes a frame that came from a leg and is on its way to the other.
  ///
  /// - Parameter frame: its head may be patched.
  public func arrive(from leg: Leg, _ frame: PassingFrame, now: Instant) -> Verdict {
    let verdict = judge(leg, frame, now)
    // Of the octets that a SYN has grown by nobody is to care.
    if isShaping, verdict != .consumed { charge(leg.opposite, frame, now) }
    return verdict
  }

  @inline(__always)
  private func judge(_ leg: Leg, _ frame: PassingFrame, _ now: Instant) -> Verdict {
    passed = PassedData()
    // A policy that lets all alone may have come when there were connections.
    guard !policies.isOff || store.flows.inUse > 0 else { return .pass }
    if leg == .guest { noteHeard(now) }
    guard let layout = FrameLayout(parsing: frame.head, frameLength: frame.length), layout.ipVersion != 0 else {
      return .pass
    }
    guard layout.transportProtocol == IPProtocol.tcp else {
      let isNotice = layout.transportProtocol == IPProtocol.icmp || layout.transportProtocol == IPProtocol.icmpIPv6
      return isNotice && leg == .network ? notePathMTU(layout, frame, now) : .pass
    }
    guard !layout.isFragment else {
      noteFragment(layout, frame, leg)
      return .pass
    }
    guard
      let segment = TCPSegment(
        parsing: frame.head, layout: layout, frameLength: frame.length, isLarge: frame.segmentSize != 0)
    else { return .pass }
    let packet = Packet(frame: frame, layout: layout, segment: segment, leg: leg)
    let key = FlowKey(packet)
    let known = identification.find(key, first: lastFlow)
    guard known != nil || segment.flags.contains(.syn) else { return .pass }
    guard isWhole(packet) else {
      // Whoever it is for will drop it; nothing follows from it.
      counters.badChecksums &+= 1
      return .pass
    }
    guard let flow = known else { return begin(key, packet, now) }
    lastFlow = flow
    store.flows[flow].lastSeen = CoarseInstant(now)
    touch(flow)
    if segment.flags.contains(.syn) { return passSYN(packet, of: flow, now) }
    return watch(SideIndex(flow, sender: leg), packet, now) ? .pass : pass(packet, of: flow, now)
  }

  @inline(never)
  private func passSYN(_ packet: Packet, of flow: RecordIndex, _ now: Instant) -> Verdict {
    grownCount = 0
    let packet = offerECN(overrideSYN(packet, of: flow), of: flow)
    let isHidden = isAnswerToUs(packet, of: flow)
    let verdict = pass(packet, of: flow, now)
    // When it has been read.
    if isHidden { hideAnswer(packet) }
    return verdict == .pass ? passedSYN : verdict
  }

  /// Whether the checksum is right (danger 36): a field that a bit was turned in must not be believed. Whoever vouches for the
  /// checksum is the kernel of this host; a guest that lies about its own lies to itself.
  private func isWhole(_ packet: Packet) -> Bool {
    guard !packet.frame.needsChecksum, !packet.frame.isVerified else { return true }
    var checksum = TransportChecksum(packet.frame.head, packet.layout, packet.segment)
    var payload = PayloadCursor(packet.frame, from: packet.segment.payloadOffset)
    while checksum.missingCount > 0 {
      let piece = scratch.slice(from: 0, count: min(checksum.missingCount, scratch.count))
      guard payload.read(into: piece) == piece.count else { return false }
      checksum.add(piece)
    }
    return checksum.isValid
  }

  /// FIG. 9 for a packet of a connection that is followed.
  private func pass(_ packet: Packet, of flow: RecordIndex, _ now: Instant) -> Verdict {
    hidesReport = false
    passesNew = false
    isDuplicateInHand = false
    let flags = packet.segment.flags
    let data = SideIndex(flow, sender: packet.leg)
    guard store.flows[flow].passReason == .none else {
      if store.flows[flow].bridgesECN { bridgeECN(packet, data) }
      if flags.contains(.rst) { forget(flow) }
      return .pass
    }
    if flags.contains(.rst) { return reset(flow, packet, now) }
    if flags.contains(.syn) { return observeSYN(flow, packet, now) }
    guard flags.contains(.ack) else { return .pass }
    if store.flows[flow].phase != .established, !observeHandshake(flow, packet, now) {
      if store.flows[flow].bridgesECN { bridgeECN(packet, data) }
      return .pass
    }
    noteTimestamps(data, packet)
    let before = store[data.opposite]
    let isNews = learn(data.opposite, packet, now)
    let verdict = take(data, packet, now)
    passPhases(data, hasData: packet.segment.payloadCount > 0, now)
    settle(data, now)
    settle(data.opposite, now)
    if verdict == .pass, isNews || !packet.isBareAcknowledgment {
      override(packet, data)
      if !forgetIfDone(flow) { schedule(flow, now) }
      return .pass
    }
    if verdict == .pass {
      count(packet.leg, flow) { $0.swallowedAcknowledgments &+= 1 }
    } else if isNews, store[data.opposite].hasProgressed(since: before) {
      // What it acknowledged is still to be told.
      store[data.opposite].flags.insert(.acknowledgmentDue)
    }
    schedule(flow, now)
    return .consumed
  }
}
