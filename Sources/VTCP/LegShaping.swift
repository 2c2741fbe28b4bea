// SPDX-License-Identifier: Apache-2.0

import Arena
import Timekeeping

/// What leaves to one leg at a rate: the rate, and the sides that wait for their turn at it, by their flows, in the order in which they are served
/// (`SideSending.turn`). Trivial, and not in the arena: who goes on with another's memory begins anew.
struct LegShaping: BitwiseCopyable, Sendable {
  var shaper = Shaper()
  var first = RecordIndex.none
  var last = RecordIndex.none
  /// When somebody who waits may go on; nil: nobody waits for that, or the time has come.
  var wake: Instant?
}
