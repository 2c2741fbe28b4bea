// SPDX-License-Identifier: Apache-2.0

/// What the sender is told while its receiver's window is shut (R39).
public enum ShutWindowPolicy: UInt8, BitwiseCopyable, CaseIterable, Sendable {
  /// Nothing new is acknowledged early until it opens, as FIG. 13 has it. What the sender was shown a window for, and sends, waits for its
  /// acknowledgment until then; a sender that knows the near leg's round trip only times out.
  case stop
  /// What the sender was shown a window for is acknowledged when it comes. More it is not shown until the receiver's window opens.
  case keepPromise
}
