// SPDX-License-Identifier: Apache-2.0

import Arena
import Timekeeping
import Wire

/// One direction of a connection's data: from its sender, through the module, to its receiver (FIG. 5, 501 or 502).
///
/// All sequence numbers are the sender's. What they mean to each other is in docs/vtcp.md; `check` says it in code. Trivial,
/// it lies in the arena.
struct FlowSide: BitwiseCopyable, Sendable {
  /// Octets of data and options of the smallest segments that we cut a stream into, whatever the receiver's SYN says: a receiver that asked
  /// for one octet at a time would get a header, a record and an interrupt for each. As small as kernels go (Linux: `tcp_min_snd_mss`, made
  /// for CVE-2019-11479). What a router may ask for is more: `leastMTU`.
  static let leastSegment = 48

  var state = SideState.passThrough
  var reason = DrainReason.none
  var flags: SideFlags = []
  /// The receiver's window field counts in units of 2 to this (RFC 7323 §2.3).
  var receiverScale: UInt8 = 0
  /// How often in a row the timer ran out.
  var timeouts: UInt8 = 0
  /// The round trip to the receiver, for who begins to send: of the handshake, or as it was when we sent last.
  var roundTrip = CompactInterval.unknown

  /// What is held; its range lies between `unacknowledged` and `expected`.
  var buffer = PacketBuffer(at: SequenceNumber(rawValue: 0))

  /// The receiver has everything before it.
  var unacknowledged = SequenceNumber(rawValue: 0)
  /// The end of what was sent to the receiver, by the sender or by us.
  var next = SequenceNumber(rawValue: 0)
  /// The end of all that ever was sent: beyond `next` if that went back. Not behind `unacknowledged`.
  var highest = SequenceNumber(rawValue: 0)
  /// The end of what came from the sender: in sequence, except in pass-through, where gaps are the receiver's.
  var expected = SequenceNumber(rawValue: 0)
  /// The highest acknowledgment number that the sender was shown, or is about to be.
  var acknowledged = SequenceNumber(rawValue: 0)
  /// The right edge of the receiver's window, as it said last.
  var receiverEdge = SequenceNumber(rawValue: 0)
  /// The highest right edge that the sender was shown.
  var shownEdge = SequenceNumber(rawValue: 0)
  /// The number of the sender's FIN, once seen.
  var finSequence = SequenceNumber(rawValue: 0)

  /// The newest TSval of the sender. What we send in its name says it, too: never one that it did not say itself (danger 19).
  var newestTimestamp: UInt32 = 0
  /// TSecr of acknowledgments to the sender: TS.Recent of RFC 7323 §4.3.
  var recentTimestamp: UInt32 = 0

  /// Octets that came since the sender was last acknowledged. Before the connection stands, `synTime`.
  var unreported: UInt32 = 0
  /// The most octets of payload that a segment to the receiver may have, timestamps taken off.
  var segmentSize: UInt16 = 536
  /// The window field that the receiver sent last.
  var lastWindow: UInt16 = 0
  /// The sending state: timers, recovery, congestion. None in pass-through.
  var sending = RecordIndex.none

  /// When the receiver last acknowledged anything at all.
  var lastHeard = CoarseInstant(Instant(nanoseconds: 0))

  /// When the sender's SYN was seen last, in microseconds, which wrap: nobody waits for an answer for an hour.
  var synTime: UInt32 {
    get { unreported }
    set { unreported = newValue }
  }

  /// Octets that exist nowhere else any more: acknowledged to the sender, not by the receiver.
  var owned: Int { max(0, acknowledged - unacknowledged) }
  /// The receiver's window is shut.
  var isShut: Bool { receiverEdge <= unacknowledged }
  /// Octets on their way to the receiver, as far as is known.
  var outstanding: Int { max(0, next - unacknowledged) }
  /// The number of a segment without data for the receiver: the next, or where its window ends, if it has shut that before what was on its
  /// way. It takes nothing beyond (RFC 9293 §3.10.7.4), not even an acknowledgment of its own data.
  var emptyNumber: SequenceNumber { .later(unacknowledged, .earlier(next, receiverEdge)) }
  /// Octets that are held and were not sent yet.
  var backlog: Int { max(0, buffer.end - next) }
  /// What is held is everything from `unacknowledged` to the end of the stream so far, FIN aside.
  var isContiguous: Bool { buffer.end == dataEnd }
  /// The end of what came, without FIN.
  var dataEnd: SequenceNumber {
    flags.contains(.finSeen) && expected > finSequence ? finSequence : expected
  }
  /// The sender's FIN was seen, and is still to be sent to the receiver by us.
  var finWaits: Bool { flags.contains(.finSeen) && next <= finSequence && buffer.end == finSequence }
  /// Acknowledgments to the sender are ours to word: we have promised it something of our own.
  var isOurs: Bool { state == .accelerated || state == .draining }

  /// The receiver has acknowledged more, or takes more.
  func hasProgressed(since before: FlowSide) -> Bool {
    acknowledged != before.acknowledged || unacknowledged != before.unacknowledged || receiverEdge > before.receiverEdge
  }

  /// Begins with the numbers that the two SYNs agreed on; with the time of the sender's, which was noted when it came.
  /// - Parameter kinds: options that both SYNs had.
  mutating func begin(sender: SYNFacts, receiver: SYNFacts, _ kinds: TCPOptionKinds, _ now: Instant) {
    let first = sender.sequenceNumber + 1
    let (roundTrip, time) = (roundTrip, newestTimestamp)
    self = FlowSide()
    self.roundTrip = roundTrip
    if kinds.contains(.timestamps) { (newestTimestamp, recentTimestamp) = (time, time) }
    flags = kinds.contains(.sackPermitted) ? [.synSeen, .sackPermitted] : .synSeen
    unacknowledged = first
    acknowledged = first
    // What came with the SYN (RFC 7413) is on its way already, and never ours.
    next = first + Int(sender.carriedData)
    expected = next
    highest = next
    buffer = PacketBuffer(at: next)
    receiverScale = kinds.contains(.windowScale) ? receiver.windowScale : 0
    // The window of a SYN is not scaled (RFC 7323 §2.2).
    receiverEdge = first + Int(receiver.window)
    shownEdge = receiverEdge
    lastWindow = receiver.window
    let options = kinds.contains(.timestamps) ? 12 : 0
    segmentSize = UInt16(max(Int(receiver.maximumSegmentSize), Self.leastSegment) - options)
    lastHeard = CoarseInstant(now)
  }
}
