// SPDX-License-Identifier: Apache-2.0

/// What `BBR` and `BBR3` are told of the connection, octets.
struct BBRPath {
  /// The congestion window now.
  var window: Int
  let segmentSize: Int
  /// InitialCwnd.
  let initialWindow: Int
}
