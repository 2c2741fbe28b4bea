// SPDX-License-Identifier: Apache-2.0

/// What a path's turn came to.
enum PathProgress {
  /// Nothing is left to do until something arrives.
  case idle
  /// The budget is spent; there may be more.
  case more
  /// Waits for the taker: the uplink, or the guest's receive buffers.
  case waiting
}
