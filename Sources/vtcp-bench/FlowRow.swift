// SPDX-License-Identifier: Apache-2.0

import Arena

/// A flow's record as large as the vTCP module's: 512 bytes, the key in its first cache line.
struct FlowRow: BitwiseCopyable {
  var key = FlowRowKey()
  var touched: UInt64 = 0
  /// The flow that is next in random order.
  var next = RecordIndex.none
  private var rest: InlineArray<56, UInt64> = InlineArray(repeating: 0)
}
