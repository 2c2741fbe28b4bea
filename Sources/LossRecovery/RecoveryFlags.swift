// SPDX-License-Identifier: Apache-2.0

/// The yes and no of a `LossRecovery`.
struct RecoveryFlags: OptionSet, BitwiseCopyable, Sendable {
  let rawValue: UInt16

  /// Both ends have agreed on SACK.
  static let usesSACK = RecoveryFlags(rawValue: 1)
  /// `rackSent`, `rackEnd`, `rackRoundTrip` and `forward` say something.
  static let hasDelivery = RecoveryFlags(rawValue: 2)
  /// Segments were received in another order than they were sent: RACK.reordering_seen.
  static let reorderingSeen = RecoveryFlags(rawValue: 4)
  /// `duplicateRound` says something.
  static let hasDuplicateRound = RecoveryFlags(rawValue: 8)
  /// `reorderingDue` says something.
  static let awaitsReordered = RecoveryFlags(rawValue: 16)
  /// A probe is to be sent: new data, or the last segment again.
  static let wantsNewProbe = RecoveryFlags(rawValue: 32)
  static let wantsOldProbe = RecoveryFlags(rawValue: 64)
  /// A probe was sent, up to `probeEnd`, and not answered.
  static let probeOutstanding = RecoveryFlags(rawValue: 128)
  /// TLP.is_retrans.
  static let probeWasOld = RecoveryFlags(rawValue: 256)
  /// A timer was put off because we had been asleep.
  static let graced = RecoveryFlags(rawValue: 512)
  /// F-RTO: a timeout awaits its first acknowledgment; it had one, and awaits the second.
  static let awaitsFirst = RecoveryFlags(rawValue: 1024)
  static let awaitsSecond = RecoveryFlags(rawValue: 2048)
  /// `undoFrom` and `undoOctets` say something.
  static let mayUndo = RecoveryFlags(rawValue: 4096)

  static let probing: RecoveryFlags = [.wantsNewProbe, .wantsOldProbe, .probeOutstanding, .probeWasOld]
  static let timeoutInDoubt: RecoveryFlags = [.awaitsFirst, .awaitsSecond]
}
