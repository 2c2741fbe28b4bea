// SPDX-License-Identifier: Apache-2.0

import Arena
import Packets
import TCPPolicy
public import Timekeeping
import Wire

// Where acceleration pays (docs/decisions/0016). To own an octet costs a copy of it, and a promise. That buys something if its receiver is
// far, if the path loses something, or if the guest waits for its processor; else the ends do as well without us.

extension VTCPModule {
  /// How long what was seen counts.
  static var memory: Interval { .seconds(10) }

  /// A guest that runs is not silent for so long while it has something to answer: its kernel does so in tens of microseconds. Shorter ones
  /// come from neighbours that are busy for a moment, and the ends notice little of them.
  static var longestSilence: Interval { .milliseconds(10) }

  /// A guest that shares its processor is silent again at once, and for much of the time: for at least so long within a second from the first silence
  /// on, and for a third of the time since, but for that in which it was silent and nobody waited. Single ones are accidents of a host that has much to do.
  static var recurrence: Interval { .seconds(1) }
  static var leastWait: Interval { .milliseconds(50) }
  static var leastPart: Int64 { 3 }

  /// A stall that lasts longer, as when a VM is stopped, counts as so long.
  static var longestStall: Interval { .milliseconds(500) }

  /// Whether data of the side are worth being kept.
  func isWorthwhile(_ index: SideIndex, _ now: Instant) -> Bool {
    // Its rate can be ruled only if it is held.
    if isShaped(index.receiver) { return true }
    let least = policy(index).configuration.leastRoundTrip
    // To rule a sender costs no copy, and is not done for its good.
    if policy(index).mode == .limit { return mayLimit(index) }
    guard least > .zero, now >= stallsUntil, now >= store.flows[index.flow].losesUntil.instant else { return true }
    return store.flows[index.flow].leastRoundTrip.interval >= least
  }

  /// Whether data that come now may be kept, or acknowledge what is. If not, nothing is gained by hearing of them before they can go on.
  public func keepsSomething(_ now: Instant) -> Bool {
    !isQuiescing && (store.sendings.inUse > limitingCount || now < stallsUntil)
  }

  /// Why a side does not acknowledge early, or did not last, for who looks from outside.
  func reason(_ index: SideIndex) -> DrainReason {
    let (side, flow) = (store[index], store.flows[index.flow])
    guard side.state == .passThrough, flow.phase == .established, flow.passReason == .none,
      policy(index).mode.keepsCopies, !isWorthwhile(index, flow.lastSeen.instant)
    else { return side.reason }
    return .notWorthwhile
  }

  /// A round trip to the network's end. It is the path's only if the end did not wait; but the path's is no longer than that.
  func noteRoundTrip(_ flow: RecordIndex, _ sample: PassingTimes.Sample, _ now: Instant) {
    let took = CompactInterval(sample.took)
    let known = store.flows[flow].leastRoundTrip
    let isOld = sample.isPrompt && now - store.flows[flow].leastSince.instant > Self.memory
    guard known == .unknown || took <= known || isOld else { return }
    store.flows[flow].leastRoundTrip = took
    store.flows[flow].leastSince = CoarseInstant(now)
  }

  /// A frame came from the guest, whatever it is.
  func noteHeard(_ now: Instant) {
    if now - heard > Self.longestSilence {
      silenceBegin = heard
      silenceEnd = now
      silent = silent + (now - heard)
    }
    heard = now
  }

  /// So long the guest's kernel took to acknowledge what it has no reason to wait with: since it was busy with what came before, or since it
  /// did not run, and then nothing at all came from it.
  func noteReaction(_ took: Interval, _ now: Instant) {
    guard silenceEnd - (now - took) > Self.longestSilence, silenceEnd > stallEnd else { return }
    counters.stalls &+= 1
    stallEnd = silenceEnd
    // Before there was something to answer it was idle.
    let begin = max(silenceBegin, now - took, silenceEnd - Self.longestStall)
    let isFirst = silenceEnd - stallsBegin > Self.recurrence
    if isFirst { (stallsBegin, stalled, silent) = (begin, .zero, silenceEnd - begin) }
    stalled = stalled + (silenceEnd - begin)
    let busy = silenceEnd - stallsBegin - silent + stalled
    let isMuch = stalled.nanoseconds &* Self.leastPart >= busy.nanoseconds
    if !isFirst, stalled >= Self.leastWait, isMuch { stallsUntil = now + Self.memory }
  }

  /// Data pass that passed before. One octet, or none, asks whether the receiver lives (danger 25). What the receiver has acknowledged was not
  /// lost: the acknowledgment and a probe for the last segment (RFC 8985 §7) have crossed, as they do where a busy end is late. Of the rest, it
  /// can tell which had come already, and may yet.
  func noteRepeated(_ index: SideIndex, _ packet: Packet, _ now: Instant) {
    // What is in flight may be acknowledged for the one or the other (RFC 6298 §3).
    passingTimes.cancel(index)
    guard index.isTransmit, packet.segment.payloadCount > 1, packet.dataEnd > store[index].unacknowledged else {
      return
    }
    let isNew = now >= store.flows[index.flow].losesUntil.instant
    let wasDoubtful = store.flows[index.flow].lossIsDoubtful
    noteLossy(index, now)
    store.flows[index.flow].lossIsDoubtful = isNew || wasDoubtful
  }

  /// An acknowledgment of the receiver's. If it reports a duplicate (RFC 2883), what the guest has repeated had arrived.
  @inline(__always)
  func heedDuplicateReport(_ index: SideIndex, _ packet: Packet) {
    guard packet.segment.options.sackBlockCount > 0, index.isTransmit else { return }
    heedBlocks(index, packet)
  }

  @inline(never)
  private func heedBlocks(_ index: SideIndex, _ packet: Packet) {
    guard store.flows[index.flow].lossIsDoubtful else { return }
    let blocks = packet.segment.options.sackBlocks(in: packet.frame.head)
    guard blocks.duplicate(acknowledgedTo: packet.segment.acknowledgmentNumber) != nil else { return }
    store.flows[index.flow].lossIsDoubtful = false
    store.flows[index.flow].losesUntil = CoarseInstant(Instant(nanoseconds: 0))
  }

  /// Something was lost on the way to the receiver.
  func noteLossy(_ index: SideIndex, _ now: Instant) {
    store.flows[index.flow].losesUntil = CoarseInstant(now + Self.memory)
    store.flows[index.flow].lossIsDoubtful = false
  }
}
