// SPDX-License-Identifier: Apache-2.0

/// What a leg does to a frame.
struct FrameFate {
  /// When it arrives; nil if it is lost.
  var first: Int64?
  /// And when again, if it is doubled.
  var second: Int64?
  var isCorrupt = false
  var isMarked = false
}
