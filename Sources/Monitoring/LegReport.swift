// SPDX-License-Identifier: Apache-2.0

/// One leg of a connection: what was seen of its end, and what we send towards it. As it lies in memory, 88 bytes; any bytes are
/// one, so a reader believes nothing of it.
///
/// Numbers that don't fit stay at their largest.
public struct LegReport: BitwiseCopyable, Equatable, Sendable {
  /// Octets that the end has acknowledged.
  public var delivered: UInt64 = 0
  /// SRTT, RTTVAR and the least of late, microseconds; 0: none measured.
  public var smoothedRoundTrip: UInt32 = 0
  public var roundTripVariation: UInt32 = 0
  public var minimumRoundTrip: UInt32 = 0
  /// Octets; 0: there is no congestion control.
  public var congestionWindow: UInt32 = 0
  /// Octets; `UInt32.max` or near it: not set yet. 0: there is no congestion control.
  public var slowStartThreshold: UInt32 = 0
  /// Octets that were sent, and are neither acknowledged nor taken for lost.
  public var inFlight: UInt32 = 0
  /// The window that the end offers, octets.
  public var window: UInt32 = 0
  /// Octets in the buffer, and those of them that were acknowledged in the end's name and exist nowhere else.
  public var held: UInt32 = 0
  public var owned: UInt32 = 0
  /// The most octets of data that we put into a segment.
  public var segmentSize: UInt16 = 0
  /// Places in `MonitorWords.states` and `reasons`.
  public var state: UInt8 = 0
  public var reason: UInt8 = 0
  /// In the order of `LegCounter`; wrap.
  public var counters = InlineArray<9, UInt32>(repeating: 0)
  /// Place in `MonitorWords.congestionPhases`.
  public var congestionPhase: UInt8 = 0
  private var unused0: UInt8 = 0
  private var unused1: UInt16 = 0

  public init() {}

  public subscript(counter: LegCounter) -> UInt32 {
    get { counters[counter.rawValue] }
    set { counters[counter.rawValue] = newValue }
  }

  public static func == (left: LegReport, right: LegReport) -> Bool {
    left.delivered == right.delivered && left.smoothedRoundTrip == right.smoothedRoundTrip
      && left.roundTripVariation == right.roundTripVariation && left.minimumRoundTrip == right.minimumRoundTrip
      && left.congestionWindow == right.congestionWindow && left.slowStartThreshold == right.slowStartThreshold
      && left.inFlight == right.inFlight && left.window == right.window && left.held == right.held
      && left.owned == right.owned && left.segmentSize == right.segmentSize && left.state == right.state
      && left.reason == right.reason && left.congestionPhase == right.congestionPhase
      && LegCounter.allCases.allSatisfy { left[$0] == right[$0] }
  }
}
