// SPDX-License-Identifier: Apache-2.0

import Arena
import Wire

/// The frame that `emit` has made and nobody has said of yet whether it left. Nothing was changed for it so far.
struct PendingEmission: BitwiseCopyable, Sendable {
  var flow = RecordIndex.none
  var leg = Leg.guest
  /// What it carries of the side whose receiver is at `leg`; empty: it is an acknowledgment only.
  var range = SequenceRange(start: SequenceNumber(rawValue: 0), end: SequenceNumber(rawValue: 0))
  var isNew = false
  var carriesReduction = false
  /// It asks for the receiver's window.
  var isProbe = false
  /// A reset; the flow ends with it.
  var isReset = false
  /// It has its turn at the rate of the VM.
  var hasTurn = false
  /// Octets of its frames on the wire.
  var wireOctets = 0
  /// What the receiving end is told of the other direction.
  var acknowledged = SequenceNumber(rawValue: 0)
  var edge = SequenceNumber(rawValue: 0)
}
