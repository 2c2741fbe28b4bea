// SPDX-License-Identifier: Apache-2.0

/// A value that somebody gives a knob, or one direction of it.
struct KnobSetting: Sendable {
  let slot: KnobSlot
  let value: KnobValue
  /// Nil: it is in no file.
  let place: PolicyPlace?
  /// Where in the language: `classes.bulk.tx`.
  let path: String
}
