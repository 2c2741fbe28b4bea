// SPDX-License-Identifier: Apache-2.0

/// How losses towards the guest are recovered (R33, R37).
public enum ReceiveRecovery: UInt8, BitwiseCopyable, CaseIterable, Sendable {
  /// By a timer that doubles. There is a ring between the module and the guest, and no network to be congested.
  case simple
  /// As towards the network: with a congestion window and all that goes with it.
  case full
}
