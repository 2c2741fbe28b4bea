// SPDX-License-Identifier: Apache-2.0

/// From when on another value counts (docs/policy.md, "While it runs").
public enum KnobApplication: String, Sendable {
  /// At once.
  case live
  /// At once if it is more, else as what is held leaves.
  case draining
  /// For connections that begin afterwards.
  case nextConnection = "next connection"
}
