// SPDX-License-Identifier: Apache-2.0

/// BBR.state: draft-ietf-ccwg-bbr-06, section 5.1.
enum BBR3State: UInt8, BitwiseCopyable {
  /// The rate doubles in each round trip.
  case startup = 0
  /// The queue that this has made is to go.
  case drain = 1
  /// ProbeBW_DOWN: slower than the path delivers.
  case down = 2
  /// ProbeBW_CRUISE: as fast as it delivers.
  case cruise = 3
  /// ProbeBW_REFILL: likewise, for a round trip, whatever was lost of late.
  case refill = 4
  /// ProbeBW_UP: faster, to see whether it carries more.
  case up = 5
  /// ProbeRTT: half of what it holds, to see how long it is.
  case probeRoundTrip = 6

  /// IsInAProbeBWState.
  var probesBandwidth: Bool {
    switch self {
    case .down, .cruise, .refill, .up: true
    case .startup, .drain, .probeRoundTrip: false
    }
  }

  /// IsProbingBW: losses are expected, and are judged by how many they are.
  var isAccelerating: Bool {
    switch self {
    case .startup, .refill, .up: true
    case .drain, .down, .cruise, .probeRoundTrip: false
    }
  }
}
