// SPDX-License-Identifier: Apache-2.0

/// BBR.state: what is being found out (draft-cardwell-iccrg-bbr-congestion-control-00, section 3.4).
enum BBRMode: UInt8, BitwiseCopyable {
  /// What the path carries, by doubling in each round trip.
  case startup = 0
  /// Nothing: the queue that this has made is to go.
  case drain = 1
  /// Whether the path carries more now, once in eight round trips.
  case probeBandwidth = 2
  /// How long the path is without a queue.
  case probeRoundTrip = 3
}
