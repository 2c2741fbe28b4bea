// SPDX-License-Identifier: Apache-2.0

/// DCTCP (RFC 8257): after a mark (ECN) the window shrinks by half of the part of what arrives that is marked, so that a queue that marks early stays
/// short and a path full. Losses take a half, and without marks it grows, as Reno does (sections 3.4, 3.5).
///
/// For paths whose every queue marks alike and whose receivers echo each mark (section 3.2). Of one that echoes until it hears of the reduction, as
/// RFC 3168 has it, a round trip with a mark looks as if all of it were marked: then it is Reno with marks. Single precision, and only operations
/// whose results IEEE 754 fixes.
struct DCTCP: BitwiseCopyable {
  /// g, section 4.2.
  static let gain: Float = 1 / 16

  /// DCTCP.Alpha: the part that is marked, smoothed; 1 before anything is known.
  private(set) var alpha: Float = 1
  /// DCTCP.BytesAcked and DCTCP.BytesMarked of this observation window.
  private var acknowledged: UInt32 = 0
  private var marked: UInt32 = 0

  /// Sections 3.3 and 4.2.
  ///
  /// - Parameters:
  ///   - bytes: acknowledged, not less than 0.
  ///   - isMarked: with ECE.
  ///   - endsWindow: all that was in flight when the observation began is acknowledged.
  mutating func counted(bytes: Int, isMarked: Bool, endsWindow: Bool) {
    acknowledged = UInt32(clamping: Int(acknowledged) + bytes)
    if isMarked { marked = UInt32(clamping: Int(marked) + bytes) }
    guard endsWindow, acknowledged > 0 else { return }
    alpha = alpha * (1 - Self.gain) + Self.gain * (Float(marked) / Float(acknowledged))
    acknowledged = 0
    marked = 0
  }

  /// What remains of the window after a mark, in 1/1024: section 3.3.
  var keepFactor: Int { Int(1024 * (1 - alpha / 2)) }
}
