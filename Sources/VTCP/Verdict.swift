// SPDX-License-Identifier: Apache-2.0

/// What becomes of a frame that came to the module.
public enum Verdict: BitwiseCopyable, Equatable, Sendable {
  /// It goes on, as its head is now.
  case pass
  /// Another goes on in its place, in which the same stands and more: `VTCPModule.replacement`. Its virtio header stays.
  case replaced
  /// It ends here: the module has what was in it, or nobody needs it.
  case consumed
}
