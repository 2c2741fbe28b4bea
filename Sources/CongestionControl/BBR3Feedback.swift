// SPDX-License-Identifier: Apache-2.0

/// BBR.ack_phase: what acknowledgments tell of the last probe for bandwidth (draft-ietf-ccwg-bbr-06, section 2.11).
enum BBR3Feedback: UInt8, BitwiseCopyable {
  /// ACKS_INIT: nothing.
  case none = 0
  /// ACKS_REFILLING.
  case refilling = 1
  /// ACKS_PROBE_STARTING: the probe has begun, and its data are not acknowledged yet.
  case starting = 2
  /// ACKS_PROBE_FEEDBACK.
  case probing = 3
  /// ACKS_PROBE_STOPPING: the probe is over, and its data are still being acknowledged.
  case stopping = 4
}
