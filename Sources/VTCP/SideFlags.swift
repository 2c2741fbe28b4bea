// SPDX-License-Identifier: Apache-2.0

/// Facts about one direction of a connection's data.
struct SideFlags: OptionSet, BitwiseCopyable, Sendable {
  let rawValue: UInt16

  /// The SYN of the sender was seen: its numbers are known.
  static let synSeen = SideFlags(rawValue: 1 << 0)
  /// The sender's FIN was seen; `finSequence` is its number.
  static let finSeen = SideFlags(rawValue: 1 << 1)
  /// The receiver has acknowledged data, not only the SYN (danger 33).
  static let dataAcknowledged = SideFlags(rawValue: 1 << 2)
  /// The sender is owed an acknowledgment: as soon as there is room for it.
  static let acknowledgmentDue = SideFlags(rawValue: 1 << 3)
  /// The end of the buffer came with PSH.
  static let push = SideFlags(rawValue: 1 << 4)
  /// CE was seen on data that we acknowledge, and the sender's CWR was not seen yet (RFC 3168 §6.1.3).
  static let echoesCongestion = SideFlags(rawValue: 1 << 5)
  /// The receiver has echoed congestion; the next new data say CWR.
  static let windowReduced = SideFlags(rawValue: 1 << 6)
  /// The receiver permits SACK.
  static let sackPermitted = SideFlags(rawValue: 1 << 7)
  /// The receiver's window is closed, and it is to be asked whether it still is.
  static let probeDue = SideFlags(rawValue: 1 << 8)
  /// The data may be marked on their way to the receiver: both ends have agreed on ECN (RFC 3168 §6.1.1), or we with the receiver
  /// (`Flow.bridgesECN`).
  static let usesECN = SideFlags(rawValue: 1 << 9)
  /// Something was sent again; `SideSending.resent` says what.
  static let resent = SideFlags(rawValue: 1 << 10)
  /// The sender's packets come in fragments: what they carry passes without being counted.
  static let fragmented = SideFlags(rawValue: 1 << 11)
  /// A router has said that the path is narrower than the receiver's segment size.
  static let narrow = SideFlags(rawValue: 1 << 12)
  /// The sender's SYN was seen more than once: which of them is answered is not known, unless by timestamps.
  static let synRepeated = SideFlags(rawValue: 1 << 13)
  /// Mode `snoop`: the sender was shown no more than our congestion window lets it send. Mode `limit`: our window takes nothing more from its.
  static let senderLimited = SideFlags(rawValue: 1 << 14)
  /// The sender has sent 2^31 octets, and more: from its numbers alone it can't be told any more how many.
  static let long = SideFlags(rawValue: 1 << 15)
}
