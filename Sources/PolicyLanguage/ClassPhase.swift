// SPDX-License-Identifier: Apache-2.0

import TCPPolicy

/// A part of a connection's life, and what a class sets in it.
struct ClassPhase: Sendable {
  /// Nil: with the connection.
  let end: PhaseEnd?
  let endPlace: PolicyPlace?
  let settings: [KnobSetting]
  let place: PolicyPlace
}
