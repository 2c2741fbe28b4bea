// SPDX-License-Identifier: Apache-2.0

/// What a frame of the module's own is for, for whoever looks on.
public enum EmissionStory: BitwiseCopyable, Equatable, Sendable {
  /// Data that were not sent before.
  case data
  /// Data that were.
  case resent
  /// It says nothing but what has arrived. So many octets of that its receiver, in whose name it is, has not acknowledged yet.
  case acknowledgment(earlyOctets: Int)
  /// It asks for the window.
  case probe
  /// The other end is gone.
  case reset
}
