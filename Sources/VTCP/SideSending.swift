// SPDX-License-Identifier: Apache-2.0

import LossRecovery
import Timekeeping
import Wire

/// What a side needs to send by itself: timers, recovery, congestion control (FIG. 5: 522 and 523, or 531 and 532).
///
/// Apart from `FlowSide`, since most connections rest most of the time and need none of it.
struct SideSending: BitwiseCopyable, Sendable {
  /// Knows from `unacknowledged`, or the first copy if that is later, to `next`.
  var recovery: LossRecovery
  /// When the acknowledgment that waits for company has to go.
  var acknowledgmentDeadline: Instant?
  /// The persist timer: when to look again why nothing is on its way, and to ask the receiver if it is its window.
  var probeDeadline: Instant?
  /// Round trips that were measured on the receiver's leg; zero: none yet.
  var lastRoundTrip = Interval.zero
  /// Where we sent something again of late: what the receiver has twice there is our doing. Only with `SideFlags.resent`.
  var resent = SequenceRange(start: SequenceNumber(rawValue: 0), end: SequenceNumber(rawValue: 0))
  /// The end of the data that said CWR last.
  var reductionEnd: SequenceNumber
  /// For statistics.
  var spans = MonitoredSpans()
  /// What is stored out of order, if `PacketBuffer.hasLater`: what came last first, as RFC 2018 §4 has it.
  var later = SACKBlocks()
  /// What the sender sent twice, for the next acknowledgment (RFC 2883); empty: nothing.
  var duplicate = SequenceRange(start: SequenceNumber(rawValue: 0), end: SequenceNumber(rawValue: 0))
  /// Duplicate acknowledgments that the sender is owed, if it can't be told by SACK: one for each segment out of order.
  var duplicatesDue: UInt8 = 0
  /// The sender recovers from a timeout of its own: it has sent again what lies before `repeatedEnd`, and is done when all before `senderPoint`
  /// is acknowledged (RecoveryPoint of RFC 5682). Only while copies are held.
  var senderRecovers = false
  var repeatedEnd = SequenceNumber(rawValue: 0)
  var senderPoint = SequenceNumber(rawValue: 0)
  /// It waits for its turn at the rate of the VM: between whom, and what it may send then before others have theirs. Only with
  /// `awaitsTurn`. Octets.
  var turn = ListLinks()
  var turnCredit: Int32 = 0
  var awaitsTurn = false
  /// Probes in a row that did not open the window.
  var probes: UInt8 = 0

  init(knobs: RecoveryKnobs, segmentSize: Int, usesSACK: Bool, at first: SequenceNumber) {
    recovery = LossRecovery(knobs: knobs, segmentSize: segmentSize, usesSACK: usesSACK)
    reductionEnd = first
    recovery.begin(at: first)
  }
}
