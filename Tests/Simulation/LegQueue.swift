// SPDX-License-Identifier: Apache-2.0

/// What waits for the rate of a leg, of one connection or of several.
final class LegQueue {
  /// When all that has entered will have left.
  var freeAt: Int64 = 0
}
