// SPDX-License-Identifier: Apache-2.0

import Arena
import CongestionControl
import LossRecovery
import Memory
import Monitoring
public import Timekeeping
import Wire

// Monitoring (FIG. 15, 1550): what the module lets others see, in memory that they map (docs/monitoring.md).
//
// A packet costs a mark on its connection; what is written is written by `publish`, once a turn for each connection that a turn
// touched, however many packets it had. Distributions are counted where they arise.

extension VTCPModule {
  /// Connections that are marked before they are written all the same.
  static var mostTouched: Int { 64 }
  /// In `Flow.listed`: it is marked.
  private static var touchedBit: UInt8 { 0x80 }

  /// Writes what has changed since the last time to the memory that others see. For the end of each turn.
  public func publish(now: Instant) {
    guard let monitor else { return }
    publishTouched()
    counters.publish(to: monitor)
    monitor.update(
      flowCount: flowCount, heldChunks: heldChunks, chunkLimit: chunkLimit, chunkBytes: ChunkPool.chunkBytes, now: now)
  }

  /// The connection is to be written again.
  func touch(_ flow: RecordIndex) {
    guard flow != lastTouched, monitor != nil else { return }
    guard store.flows[flow].listed & Self.touchedBit == 0 else { return }
    if touchedCount == Self.mostTouched { publishTouched() }
    lastTouched = flow
    store.flows[flow].listed |= Self.touchedBit
    touched[touchedCount] = flow
    touchedCount &+= 1
  }

  private func publishTouched() {
    for place in 0..<touchedCount {
      let flow = touched[place]
      // It may be gone, and another in its place.
      guard store.flows.isInUse(flow), store.flows[flow].listed & Self.touchedBit != 0 else { continue }
      store.flows[flow].listed &= ~Self.touchedBit
      monitor?.publish(flowReport(flow), at: Int(flow.rawValue) &- 1)
    }
    touchedCount = 0
    lastTouched = .none
  }

  /// Of memory that another process has left: everything is written.
  func publishAll() {
    guard monitor != nil else { return }
    var place: UInt32 = 1
    while Int(place) <= store.flows.highWater {
      let flow = RecordIndex(rawValue: place)
      if store.flows.isInUse(flow) {
        store.flows[flow].listed &= ~Self.touchedBit
        touch(flow)
      }
      place += 1
    }
    publishTouched()
  }

  /// The connection is about to be forgotten: its last figures, and then none.
  func publishEnd(_ flow: RecordIndex) {
    guard let monitor else { return }
    store.flows[flow].listed &= ~Self.touchedBit
    lastTouched = .none
    monitor.publish(flowReport(flow), at: Int(flow.rawValue) &- 1)
    monitor.clear(at: Int(flow.rawValue) &- 1)
  }

  // MARK: Distributions

  /// What the receiver's acknowledgment of everything before `number` has shown, of a side that sends.
  func noteAnswer(_ index: SideIndex, _ number: SequenceNumber, _ result: AcknowledgmentResult, _ now: Instant) {
    guard let monitor else { return }
    if let sample = result.roundTrip { monitor.record(index.isTransmit ? .networkRoundTrip : .guestRoundTrip, sample) }
    let sending = store[index].sending
    var spans = store.sendings[sending].spans
    let isLost = !spans.loss.isOpen && store.sendings[sending].recovery.lost > 0
    guard isLost || spans.areOpen else { return }
    if let lead = spans.lead.close(at: number, now) {
      monitor.record(index.isTransmit ? .transmitLead : .receiveLead, lead)
    }
    if let loss = spans.loss.close(at: number, now) {
      monitor.record(index.isTransmit ? .networkRecovery : .guestRecovery, loss)
    }
    if isLost { spans.loss.open(until: store[index].next, now) }
    store.sendings[sending].spans = spans
  }

  /// A timer ran out: something may be taken for lost.
  func noteLoss(_ index: SideIndex, _ now: Instant) {
    let sending = store[index].sending
    guard monitor != nil, !sending.isNone, !store.sendings[sending].spans.loss.isOpen,
      store.sendings[sending].recovery.lost > 0
    else { return }
    store.sendings[sending].spans.loss.open(until: store[index].next, now)
  }

  /// Data up to `end` were acknowledged in the receiver's name.
  func noteEarly(_ index: SideIndex, to end: SequenceNumber, _ now: Instant) {
    let sending = store[index].sending
    guard monitor != nil, !sending.isNone, !store.sendings[sending].spans.lead.isOpen else { return }
    store.sendings[sending].spans.lead.open(until: end, now)
  }

  /// A segment was put into the buffer.
  func noteHeld(_ index: SideIndex) {
    monitor?.record(index.isTransmit ? .transmitHeld : .receiveHeld, store[index].buffer.count)
  }

  // MARK: Reports

  private func flowReport(_ flow: RecordIndex) -> FlowReport {
    let record = store.flows[flow]
    var report = FlowReport()
    report.guestAddressHigh = record.key.guestAddressHigh
    report.guestAddressLow = record.key.guestAddressLow
    report.networkAddressHigh = record.key.networkAddressHigh
    report.networkAddressLow = record.key.networkAddressLow
    report.lastSeen = UInt64(bitPattern: record.lastSeen.instant.nanoseconds)
    report.virtualNetwork = record.key.virtualNetwork
    report.vlan = record.key.vlan
    report.guestPort = record.key.guestPort
    report.networkPort = record.key.networkPort
    report.phase = record.phase.rawValue &+ 1
    report.passReason = record.passReason.rawValue
    report.ipVersion = record.key.ipVersion
    report.opener = record.opener.rawValue
    report.configuration = record.configuration
    report.classNumber = flowClass(of: flow)
    report.guestAcknowledged = store[SideIndex(flow, receiver: .guest)].unacknowledged.rawValue
    report.networkAcknowledged = store[SideIndex(flow, receiver: .network)].unacknowledged.rawValue
    report.guest = legReport(SideIndex(flow, receiver: .guest), record.guestCounters)
    report.network = legReport(SideIndex(flow, receiver: .network), record.networkCounters)
    guard record.phase == .established else { return report }
    report.guest.delivered = UInt64(report.guestAcknowledged &- record.networkSYN.sequenceNumber.rawValue &- 1)
    report.network.delivered = UInt64(report.networkAcknowledged &- record.guestSYN.sequenceNumber.rawValue &- 1)
    return report
  }

  /// The leg to the receiver of a side.
  private func legReport(_ index: SideIndex, _ counters: LegCounters) -> LegReport {
    let side = store[index]
    var report = LegReport()
    report.window = UInt32(clamping: side.receiverEdge - side.unacknowledged)
    report.held = UInt32(clamping: side.buffer.count)
    report.owned = UInt32(clamping: side.isOurs ? side.owned : 0)
    report.segmentSize = side.segmentSize
    report.state = side.state.rawValue
    report.reason = reason(index).rawValue
    counters.copy(to: &report)
    guard !side.sending.isNone else {
      let least = index.isTransmit ? store.flows[index.flow].leastRoundTrip : side.roundTrip
      report.minimumRoundTrip = UInt32(clamping: least.interval.nanoseconds / 1000)
      return report
    }
    let roundTrip = store.sendings[side.sending].recovery.roundTrip
    report.smoothedRoundTrip = UInt32(clamping: roundTrip.smoothed.nanoseconds / 1000)
    report.roundTripVariation = UInt32(clamping: roundTrip.variation.nanoseconds / 1000)
    report.minimumRoundTrip = UInt32(clamping: roundTrip.minimum.nanoseconds / 1000)
    report.inFlight = UInt32(clamping: store.sendings[side.sending].recovery.inFlight)
    report.congestionPhase = store.sendings[side.sending].recovery.congestion.phase.rawValue
    guard knobs(index).congestion.algorithm != .none else { return report }
    report.congestionWindow = UInt32(clamping: store.sendings[side.sending].recovery.congestion.window)
    report.slowStartThreshold = UInt32(clamping: store.sendings[side.sending].recovery.congestion.slowStartThreshold)
    return report
  }
}

extension LegCounters {
  /// In the order of the reports.
  func copy(to report: inout LegReport) {
    report[.segments] = segments
    report[.duplicates] = duplicates
    report[.outOfOrder] = outOfOrder
    report[.duplicateAcknowledgments] = duplicateAcknowledgments
    report[.zeroWindows] = UInt32(zeroWindows)
    report[.retransmissions] = retransmissions
    report[.timeouts] = UInt32(timeouts)
    report[.earlyAcknowledgments] = earlyAcknowledgments
    report[.swallowedAcknowledgments] = swallowedAcknowledgments
  }
}

extension ModuleCounters {
  func publish(to monitor: MonitorRegion) {
    monitor.set(.flows, flows)
    monitor.set(.refusedFlows, refusedFlows)
    monitor.set(.untouchableFlows, untouchableFlows)
    monitor.set(.earlyOctets, earlyOctets)
    monitor.set(.accelerations, accelerations)
    monitor.set(.drains, drains)
    monitor.set(.implausible, implausible)
    monitor.set(.badChecksums, badChecksums)
    monitor.set(.droppedSegments, droppedSegments)
    monitor.set(.lostOctets, lostOctets)
    monitor.set(.resets, resets)
    monitor.set(.storedSegments, storedSegments)
    monitor.set(.narrowedPaths, narrowedPaths)
    monitor.set(.stalls, stalls)
    monitor.set(.transmitShaped, transmitShaped)
    monitor.set(.receiveShaped, receiveShaped)
    monitor.set(.transmitCharged, transmitCharged)
    monitor.set(.receiveCharged, receiveCharged)
    monitor.set(.shaperWaits, shaperWaits)
  }
}
