// SPDX-License-Identifier: Apache-2.0

import Memory
import Packets

/// No network: counts what is sent and drops it. For measurements and first tries.
public final class NullUplink {
  let queueCount: Int
  var counters = UplinkCounters()

  init(queueCount: Int) {
    self.queueCount = queueCount
  }

  func send(frames: RecordBuffer<OutgoingFrame>, first: Int, count: Int) -> SendOutcome {
    for index in first..<first + count { counters.sent(byteCount: frames[index].byteCount) }
    return SendOutcome(accepted: count, blocked: false)
  }
}
