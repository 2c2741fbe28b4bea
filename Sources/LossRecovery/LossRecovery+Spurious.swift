// SPDX-License-Identifier: Apache-2.0

internal import Arena
internal import CongestionControl
internal import Timekeeping
internal import Wire

/// What seemed to be lost and was not.
extension LossRecovery {
  /// What was received twice, as far as it can be true.
  mutating func noteDuplicateReport(
    _ blocks: SACKBlocks, number: SequenceNumber, result: inout AcknowledgmentResult
  ) -> SequenceRange? {
    guard let twice = blocks.duplicate(acknowledgedTo: number), twice.count <= Self.longestFlight, twice.end <= next
    else { return nil }
    result.sawDSACK = true
    return twice
  }

  /// RFC 5682, sections 2.1 and 3.1: whether the timeout was called for, from the acknowledgments that follow it.
  mutating func doubtTimeout(
    result: inout AcknowledgmentResult, isOver: Bool, hasUnsent: Bool, in pool: TransmissionPool
  ) {
    guard !flags.isDisjoint(with: .timeoutInDoubt) else { return }
    let isSecond = flags.contains(.awaitsSecond)
    if isOver, !isSecond {
      // All of it, perhaps since the retransmission filled the only hole: nothing can be said.
      flags.subtract(.timeoutInDoubt)
      return
    }
    let isShown = flags.contains(.usesSACK) ? result.hasOriginal : isSecond && result.acknowledged > 0
    if isShown {
      undo(result: &result, in: pool)
    } else if !isSecond, result.acknowledged > 0, hasUnsent {
      flags.remove(.awaitsFirst)
      flags.insert(.awaitsSecond)
    } else if result.acknowledged > 0 || result.isDuplicate {
      flags.subtract(.timeoutInDoubt)
    }
  }

  /// All that was sent again since the last reduction arrived twice: it had not been lost (RFC 2883, section 5).
  mutating func undoIfInVain(
    duplicate: SequenceRange?, result: inout AcknowledgmentResult, in pool: TransmissionPool
  ) {
    guard let duplicate, flags.contains(.mayUndo), undoOctets > 0, duplicate.start >= undoFrom else { return }
    undoOctets = UInt32(clamping: Int(undoOctets) - duplicate.count)
    guard undoOctets == 0, congestion.canUndo else { return }
    undo(result: &result, in: pool)
  }

  /// RFC 8985, section 7.4: what the answer to a probe tells.
  mutating func noteProbeAnswer(
    number: SequenceNumber, duplicate: SequenceRange?, blocks: SACKBlocks, result: inout AcknowledgmentResult,
    now: Instant
  ) {
    guard flags.contains(.probeOutstanding), number >= probeEnd else { return }
    let isUnneeded = duplicate.map { $0.end == probeEnd } ?? false
    let isRepaired = number > probeEnd
    let isDuplicate = result.acknowledged == 0 && blocks.isEmpty
    if flags.contains(.probeWasOld), !isUnneeded, !isRepaired, !isDuplicate { return }
    if flags.contains(.probeWasOld), !isUnneeded, isRepaired {
      // A loss that the probe made good is a loss.
      tellProbedLoss(now: now)
      congestion.lossDetected(inFlight: max(outstanding, result.acknowledged), now: now)
      congestion.recoveryEnded()
      flags.remove(.mayUndo)
    }
    flags.subtract(RecoveryFlags.probing)
  }

  private mutating func undo(result: inout AcknowledgmentResult, in pool: TransmissionPool) {
    var index = head
    while !index.isNone {
      unmarkLost(index, in: pool)
      index = pool[index].next
    }
    result.lost = 0
    result.isSpurious = true
    flags.subtract(.timeoutInDoubt)
    flags.remove(.mayUndo)
    recoveryAllowance = 0
    recoveryPoint = unacknowledged
    congestion.undo()
    if congestion.phase != .open { congestion.recoveryEnded() }
  }
}
