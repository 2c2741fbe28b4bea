// SPDX-License-Identifier: Apache-2.0

/// The value that a knob has in the end, and where it comes from.
public struct EffectiveKnob: Hashable, Sendable {
  /// `tx.buffer`, `leastRoundTrip`; without its direction if both have one value from one place.
  public let name: String
  public let knob: Knob
  /// For people: `2 MiB`.
  public let value: String
  public let origin: KnobOrigin
}
