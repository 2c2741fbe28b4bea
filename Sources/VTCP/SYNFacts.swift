// SPDX-License-Identifier: Apache-2.0

import Wire

/// What one end's SYN said (R16): its initial sequence number and the options that hold for the connection's life.
struct SYNFacts: BitwiseCopyable, Sendable {
  /// ISN.
  var sequenceNumber = SequenceNumber(rawValue: 0)
  /// `window`, and above it `carriedData`: what the connection begins with. Once it stands, `Flow.established` lies here.
  var beginning: UInt32 = 0
  var maximumSegmentSize: UInt16 = 536
  /// `shift.cnt`, at most 14 (RFC 7323 §2.3).
  var windowScale: UInt8 = 0
  /// `takenOut`, and on top `saysECN`.
  private var history: UInt8 = 0
  var kinds: TCPOptionKinds = []
  var isKnown = false
  /// It offers ECN, by ECE and CWR, or accepts it, by ECE alone (RFC 3168 §6.1.1).
  var offersECN = false

  /// The window field.
  var window: UInt16 {
    get { UInt16(truncatingIfNeeded: beginning) }
    set { beginning = beginning & 0xffff_0000 | UInt32(newValue) }
  }

  /// Octets of data that came with it (danger 27).
  var carriedData: UInt16 {
    get { UInt16(truncatingIfNeeded: beginning &>> 16) }
    set { beginning = beginning & 0xffff | UInt32(newValue) &<< 16 }
  }

  /// Of the options that both ends have to agree on: those that policy took out of it, whatever policy says by now.
  var takenOut: TCPOptionKinds {
    get { TCPOptionKinds(rawValue: UInt16(history)).intersection(.agreed) }
    set { history = history & 0x80 | UInt8(truncatingIfNeeded: newValue.intersection(.agreed).rawValue) }
  }

  /// It, or one before it with the same number, left with a flag of ECN: the other end may have heard of it.
  var saysECN: Bool {
    get { history & 0x80 != 0 }
    set { history = history & 0x7f | (newValue ? 0x80 : 0) }
  }

  init() {}

  init(_ segment: TCPSegment) {
    sequenceNumber = segment.sequenceNumber
    kinds = segment.options.kinds
    // RFC 9293 §3.7.1, MUST-15: 536 (IPv4), 1220 (IPv6) without the option; the smaller is safe for both.
    if kinds.contains(.maximumSegmentSize) { maximumSegmentSize = max(segment.options.maximumSegmentSize, 1) }
    windowScale = min(segment.options.windowScale, 14)
    window = segment.window
    isKnown = true
    offersECN = segment.flags.contains(.ece) && segment.flags.contains(.cwr) != segment.flags.contains(.ack)
    saysECN = !segment.flags.isDisjoint(with: [.ae, .ece, .cwr])
    carriedData = UInt16(truncatingIfNeeded: min(segment.payloadCount, 0xffff))
  }

  /// Whether a SYN that was sent again says the same of all that matters later.
  func agrees(with other: SYNFacts) -> Bool {
    kinds == other.kinds && windowScale == other.windowScale && maximumSegmentSize == other.maximumSegmentSize
  }
}

extension TCPOptionKinds {
  /// Options of a SYN that hold for both ends once both have said them; all lie in the lowest octet.
  static var agreed: TCPOptionKinds { [.timestamps, .windowScale, .sackPermitted] }
}
