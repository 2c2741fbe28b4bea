// SPDX-License-Identifier: Apache-2.0

import CLibvirt
import Polling
import Timekeeping

/// libvirt's own event loop, in this thread.
///
/// SAFETY: callbacks are functions without context that touch nothing but what they are given.
enum LibvirtLoop {
  /// For this process, before the first connection.
  static func install() {
    _ = virInitialize()
    _ = virEventRegisterDefaultImpl()
    // Otherwise each error is written to standard error too.
    virSetErrorFunc(nil) { _, _ in }
  }

  /// Waits for something to happen, or for the time, and handles it.
  static func turn(until due: Instant?) throws(LibvirtError) {
    var timer: Int32 = -1
    if let due {
      let wait = max(due - MonotonicClock.now(), .zero)
      // Whole milliseconds, upwards: it shall be over then.
      let milliseconds = Int32(clamping: wait.nanoseconds / 1_000_000 + 1)
      timer = virEventAddTimeout(milliseconds, { _, _ in }, nil, nil)
    }
    let status = virEventRunDefaultImpl()
    if timer >= 0 { _ = virEventRemoveTimeout(timer) }
    guard status == 0 else { throw LibvirtConnection.lastError() }
  }
}
