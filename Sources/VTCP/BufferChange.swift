// SPDX-License-Identifier: Apache-2.0

import Wire

/// A buffer as it was before the change that is being made to it. Lies in the arena, once.
struct BufferChange: BitwiseCopyable, Sendable {
  static let byteCount = 64

  var isOpen = false
  /// `SideIndex.rawValue`.
  var side: UInt32 = 0
  var buffer = PacketBuffer(at: SequenceNumber(rawValue: 0))
}
