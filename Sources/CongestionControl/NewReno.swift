// SPDX-License-Identifier: Apache-2.0

/// Congestion avoidance of RFC 5681, section 3.1, counting bytes (RFC 3465, section 2.1): a segment for each window of
/// acknowledged bytes. It remembers nothing but the bytes towards the next segment.
enum NewReno {
  /// The window after an acknowledgment. `credit`: bytes acknowledged since it last grew.
  static func grown(_ acknowledgment: Acknowledgment, credit: inout UInt32) -> Int {
    acknowledgment.grown(per: acknowledgment.window, credit: &credit)
  }
}
