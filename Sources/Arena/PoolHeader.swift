// SPDX-License-Identifier: Apache-2.0

/// What a table in the arena says of itself, in its first 64 bytes.
@usableFromInline
struct PoolHeader: BitwiseCopyable {
  @usableFromInline static let byteCount = 64

  /// Which kind of table it is; written last, so that a half-made one is not taken for one.
  @usableFromInline var magic: UInt32
  /// Bytes of a record.
  @usableFromInline var stride: UInt32
  /// Records that there can be.
  @usableFromInline var limit: UInt32
  /// Records that were ever given out; memory behind them was never touched.
  @usableFromInline var highWater: UInt32
  /// The record that was given back last; 0: none.
  @usableFromInline var firstFree: UInt32
  /// Records that are given out.
  @usableFromInline var inUse: UInt32

  @usableFromInline
  init(magic: UInt32, stride: Int, limit: Int) {
    self.magic = magic
    self.stride = UInt32(stride)
    self.limit = UInt32(limit)
    highWater = 0
    firstFree = 0
    inUse = 0
  }
}
