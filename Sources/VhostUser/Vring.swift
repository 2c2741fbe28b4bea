// SPDX-License-Identifier: Apache-2.0

import Polling

/// What the front-end has said about one virtqueue.
struct Vring: Equatable {
  /// Entries; 0: not said yet.
  var size: UInt16 = 0
  var base: UInt32 = 0
  var addresses: VringAddresses?
  var isEnabled = false
  var isRunning = false
  /// It was disabled while it ran.
  var isDraining = false
  /// Which descriptors there are.
  var hasKick = false
  var hasCall = false
  var hasError = false
}
