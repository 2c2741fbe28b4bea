// SPDX-License-Identifier: Apache-2.0

import Arena
import CongestionControl
import LossRecovery
import Monitoring
import Timekeeping
import Wire

// What is known of the round trip to a receiver before anything was sent to it that could be lost: each end's SYN is acknowledged by
// the other (RFC 6298 §2.2). Without it a timer would be a second (§2.1), five times what a sender that has a sample waits.

extension VTCPModule {
  /// A SYN passes. Of several with the same number the last one is timed; those with the same time as well are one.
  ///
  /// - Parameter known: what was known of that end's SYN.
  func timeSYN(_ flow: RecordIndex, _ packet: Packet, after known: SYNFacts, _ now: Instant) {
    let index = SideIndex(flow, sender: packet.leg)
    let options = packet.segment.options
    let value = options.kinds.contains(.timestamps) ? options.timestampValue : 0
    let isAgain = known.isKnown && known.sequenceNumber == packet.segment.sequenceNumber
    if isAgain { store[index].flags.insert(.synRepeated) } else { store[index].flags.remove(.synRepeated) }
    if isAgain, value == store[index].newestTimestamp { return }
    store[index].newestTimestamp = value
    store[index].synTime = Self.microseconds(now)
  }

  /// The receiver's first acknowledgment of the SYN of `index`.
  func timeAnswer(_ index: SideIndex, _ packet: Packet, _ now: Instant) {
    // With data, it may have waited for them.
    guard packet.segment.payloadCount == 0 else { return }
    if store[index].flags.contains(.synRepeated) {
      // RFC 6298 §3: timestamps say which one is answered, or nothing does.
      let options = packet.segment.options
      guard options.kinds.contains(.timestamps), options.timestampEcho == store[index].newestTimestamp else { return }
    }
    let took = Interval.microseconds(Int64(Self.microseconds(now) &- store[index].synTime))
    store[index].roundTrip = CompactInterval(took)
    if index.isTransmit {
      noteRoundTrip(index.flow, PassingTimes.Sample(took: took, isPrompt: true), now)
    } else {
      noteReaction(took, now)
    }
  }

  /// The receiver has acknowledged more than before: of what passed, and of what we sent.
  ///
  /// - Parameters:
  ///   - before: the side as it was.
  ///   - sent: the round trip of what we sent, if the acknowledgment tells.
  func timeAcknowledgment(_ index: SideIndex, since before: FlowSide, sent: Interval?, _ now: Instant) {
    guard let sent else { return timePassed(index, now) }
    _ = passingTimes.end(index, acknowledged: store[index].unacknowledged, now)
    let isMuch = before.outstanding >= 2 &* Int(before.segmentSize)
    note(PassingTimes.Sample(took: sent, isPrompt: isMuch), index, now)
  }

  /// The same of what passed only.
  func timePassed(_ index: SideIndex, _ now: Instant) {
    guard let sample = passingTimes.end(index, acknowledged: store[index].unacknowledged, now) else { return }
    monitor?.record(index.isTransmit ? .networkRoundTrip : .guestRoundTrip, sample.took)
    note(sample, index, now)
  }

  private func note(_ sample: PassingTimes.Sample, _ index: SideIndex, _ now: Instant) {
    if index.isTransmit {
      noteRoundTrip(index.flow, sample, now)
    } else if sample.isPrompt {
      noteReaction(sample.took, now)
    }
  }

  /// Of a side that is about to lose what it sends with.
  func keepRoundTrip(_ index: SideIndex) {
    let sending = store[index].sending
    guard !sending.isNone, store.sendings[sending].recovery.roundTrip.hasSample else { return }
    store[index].roundTrip = CompactInterval(store.sendings[sending].recovery.roundTrip.smoothed)
  }

  private static func microseconds(_ now: Instant) -> UInt32 {
    UInt32(truncatingIfNeeded: now.nanoseconds / 1000)
  }
}
