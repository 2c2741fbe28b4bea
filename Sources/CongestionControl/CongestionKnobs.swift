// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// What policy may choose about a leg's congestion control and timers. Any value is safe; each is brought into its range.
public struct CongestionKnobs: Hashable, Sendable, BitwiseCopyable {
  public var algorithm: CongestionAlgorithm
  /// Whether a `Pacer` spreads what is sent over the round trip.
  public var isPaced: Bool
  /// Duplicate acknowledgments after which a segment is taken for lost. From 1; 0 is taken for 1.
  public var duplicateThreshold: UInt8
  /// Segments by which one acknowledgment may make the window grow in slow start: L of RFC 3465, section 2.2. 0: no limit,
  /// which is only right with pacing (RFC 9406, section 4.3).
  public var byteCountingLimit: UInt8
  /// Segments. 0: by RFC 6928, min(10 * SMSS, max(2 * SMSS, 14600)).
  public var initialWindow: UInt16
  /// What remains of the window after a loss, in 1/1024 (512 is one half, 768 three quarters). 0: what the algorithm says.
  public var keepFactor: UInt16
  /// How fast the window grows in congestion avoidance, in 1/1024 of what the algorithm says.
  public var additiveIncrease: UInt16
  /// Whether the first slow start ends when the round trip grows (RFC 9406), before something is lost.
  public var usesHyStart: Bool
  /// Bytes, when a connection begins.
  public var slowStartThreshold: UInt32
  /// Bytes. No window grows beyond it, nor beyond what TCP can say, 2^30.
  public var maximumWindow: UInt32
  /// The shortest and longest retransmission timeout.
  public var minimumTimeout: Interval
  public var maximumTimeout: Interval

  /// CUBIC as a Linux sender has it: 200 ms to 120 s. RFC 6298 asks for a minimum of one second, which no sender keeps.
  public init() {
    algorithm = .cubic
    isPaced = true
    duplicateThreshold = 3
    byteCountingLimit = 2
    initialWindow = 0
    keepFactor = 0
    additiveIncrease = 1024
    usesHyStart = true
    slowStartThreshold = .max
    maximumWindow = 1 << 30
    minimumTimeout = .milliseconds(200)
    maximumTimeout = .seconds(120)
  }
}
