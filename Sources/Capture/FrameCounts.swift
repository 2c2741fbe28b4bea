// SPDX-License-Identifier: Apache-2.0

/// Frames of an interface while somebody looked.
struct FrameCounts {
  /// That there were.
  var seen: UInt64 = 0
  /// That fitted the filter.
  var accepted: UInt64 = 0
  /// Of them, those for which there was no room.
  var missed: UInt64 = 0
}
