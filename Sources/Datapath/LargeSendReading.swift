// SPDX-License-Identifier: Apache-2.0

import LargeSend
import Timekeeping

/// What had been spent on a guest's large packets by some moment. All but the moments wrap.
struct LargeSendReading: BitwiseCopyable {
  var now: Instant
  /// Of the thread that serves the NIC.
  var processorTime: Interval
  var bytes: Int
  var packets: Int
  /// For how long the uplink took nothing. Nanoseconds.
  var blockedTime: Int64

  /// What came between another one and this.
  ///
  /// A packet holds up what stands behind it while it is worked on, and while the uplink takes no more of it. The NIC's one thread works on nothing
  /// else meanwhile, so that all that was spent, divided by the packets, is what each took.
  func since(_ other: Self) -> FirstSizeMeasurement {
    let processorTime = Int((processorTime - other.processorTime).nanoseconds)
    return FirstSizeMeasurement(
      elapsed: Int((now - other.now).nanoseconds), processorTime: processorTime, bytes: bytes &- other.bytes,
      packets: packets &- other.packets, holdTime: processorTime &+ Int(blockedTime &- other.blockedTime))
  }
}
