// SPDX-License-Identifier: Apache-2.0

/// HighSpeed TCP (RFC 3649): the larger the window, the more it grows in a round trip and the less it gives up after a loss, so that a long
/// fast path is filled with losses as rare as they are there. Up to 38 segments it is Reno.
///
/// Rows of appendix B, as its program computes them: a window of up to so many segments grows by as many segments in a round trip as its
/// row's number says. Between two rows the upper one counts, as in Linux.
enum HighSpeed {
  /// Segments.
  static let windows: InlineArray<73, UInt32> = [
    38, 118, 221, 347, 495, 663, 851, 1058, 1284, 1529, 1793, 2076, 2378, 2699, 3039, 3399, 3778, 4177, 4596, 5036,
    5497, 5979, 6483, 7009, 7558, 8130, 8726, 9346, 9991, 10661, 11358, 12082, 12834, 13614, 14424, 15265, 16137,
    17042, 17981, 18955, 19965, 21013, 22101, 23230, 24402, 25618, 26881, 28193, 29557, 30975, 32450, 33986, 35586,
    37253, 38992, 40808, 42707, 44694, 46776, 48961, 51258, 53677, 56230, 58932, 61799, 64851, 68113, 71617, 75401,
    79517, 84035, 89053, 94717,
  ]
  /// b(w) in 1/1024: what a loss takes away.
  static let decreases: InlineArray<73, UInt16> = [
    512, 452, 418, 394, 375, 360, 346, 335, 324, 315, 307, 299, 292, 285, 279, 273, 267, 262, 257, 252, 247, 243,
    238, 234, 230, 226, 222, 219, 215, 212, 208, 205, 202, 199, 196, 193, 190, 187, 184, 181, 178, 176, 173, 170,
    168, 165, 162, 160, 157, 155, 152, 150, 148, 145, 143, 140, 138, 135, 133, 131, 128, 126, 123, 121, 118, 116,
    113, 110, 108, 105, 102, 99, 95,
  ]

  /// The window after an acknowledgment.
  static func grown(_ acknowledgment: Acknowledgment, credit: inout UInt32) -> Int {
    let segments = row(window: acknowledgment.window, acknowledgment.segmentSize) + 1
    return acknowledgment.grown(per: max(acknowledgment.window / segments, 1), credit: &credit)
  }

  /// What of a window remains after a loss, in 1/1024.
  static func keepFactor(window: Int, segmentSize: Int) -> UInt16 {
    1024 - decreases[row(window: window, segmentSize)]
  }

  /// The first row whose window is not smaller; the last one for what is larger.
  private static func row(window: Int, _ segmentSize: Int) -> Int {
    let segments = window / segmentSize
    var (low, high) = (0, windows.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if segments <= Int(windows[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
