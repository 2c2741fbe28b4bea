// SPDX-License-Identifier: Apache-2.0

import Packets
import Wire

/// A TCP packet of a known connection, decoded: what the rooms of the module hand to each other.
struct Packet: Sendable {
  let frame: PassingFrame
  let layout: FrameLayout
  let segment: TCPSegment
  /// Where it came from.
  let leg: Leg

  /// Where its payload begins: SYN takes a number before it.
  var start: SequenceNumber { segment.sequenceNumber + (segment.flags.contains(.syn) ? 1 : 0) }
  /// Behind its payload, FIN not counted.
  var dataEnd: SequenceNumber { start + segment.payloadCount }
  var hasFIN: Bool { segment.flags.contains(.fin) }
  /// Neither data nor FIN nor SYN: it says nothing but its acknowledgment.
  var isBareAcknowledgment: Bool { segment.sequenceLength == 0 && !segment.flags.contains(.rst) }
}
