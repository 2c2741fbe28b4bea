// SPDX-License-Identifier: Apache-2.0

/// What is known of a `Transmission`.
public struct TransmissionFlags: OptionSet, BitwiseCopyable, Sendable {
  public let rawValue: UInt8

  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The receiver said by SACK that it has them. He may take it back (RFC 2018, section 8): they are not forgotten.
  public static let sacked = TransmissionFlags(rawValue: 1)
  /// They are taken for lost, and were not sent again since. Never together with `sacked`.
  public static let lost = TransmissionFlags(rawValue: 2)
  /// They were sent more than once: an acknowledgment does not tell which was received (Karn).
  public static let retransmitted = TransmissionFlags(rawValue: 4)
  /// `Transmission.mark` says something.
  static let rated = TransmissionFlags(rawValue: 8)
  /// P.is_app_limited: they were sent while there was no more to send.
  static let applicationLimited = TransmissionFlags(rawValue: 16)
  /// They were sent for the first time, in order, while nothing waited to be sent again: what was in flight then can be told
  /// (`LossRecovery.inFlightAtSend`).
  static let inOrder = TransmissionFlags(rawValue: 32)
}
