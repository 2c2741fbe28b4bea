// SPDX-License-Identifier: Apache-2.0

/// How one simulated end of a connection behaves.
public struct EndParameters: Sendable {
  /// Octets that its application sends before it closes.
  public var streamLength = 20_000
  /// Octets that it takes before its application reads.
  public var bufferSize = 65_536
  public var maximumSegmentSize = 536
  /// Its SYN says it.
  public var saysSegmentSize = true
  /// What it takes the other end for that says no segment size: 536 octets, or with IPv6 1220 (RFC 9293, section 3.7.1), as not all do.
  public var unsaidSegmentSize = 536
  /// Nil: it does not offer to scale.
  public var windowScale: UInt8? = 7
  public var hasTimestamps = true
  public var hasSACK = true
  /// Reports what comes twice (RFC 2883).
  public var hasDSACK = true
  /// Reports what came last first, as RFC 2018 §4 asks for; else the first three runs, which hides what comes beyond a fourth gap.
  public var reportsNewest = false
  /// Never sends again what SACK said the other end has: who takes it back is found out.
  public var trustsSACK = false
  /// Offers, or accepts, ECN (RFC 3168).
  public var hasECN = false
  /// Echoes for each segment whether it was marked (RFC 8257, section 3.2); else until it hears of a reduction.
  public var echoesEachMark = false
  public var initialSequence: UInt32 = 0
  public var timestampBase: UInt32 = 1
  /// Octets that its application writes at once, and how long it waits in between. Nanoseconds.
  public var writeSize = 100_000
  public var writePause: Int64 = 0
  /// The same for reading.
  public var readSize = 1_000_000
  public var readPause: Int64 = 0
  public var delaysAcknowledgments = true
  /// Segments in a frame that is to be cut by others; 1: none is.
  public var largeSegments = 1
  /// Leaves checksums to others.
  public var hasPartialChecksums = false
  /// Its octets that lie beyond its window probe with new data; else with an old octet.
  public var probesWithData = false
  /// Resets the connection at this time; nil: never.
  public var resetsAt: Int64?
  /// Where data are urgent: one of how many octets of the stream begins a segment that says so; 0: nowhere.
  public var urgentEvery = 0
  /// Its application closes when all has been sent: the FIN is a segment of its own, and may overtake the data before it.
  public var closesLater = false
  /// Options that its SYN offers besides, as they are on the wire: Fast Open (RFC 7413), and some that nobody knows.
  public var extraOptions: [UInt8] = []
  public var isIPv6 = false
  public var minimumTimeout: Int64 = 200_000_000

  public init() {}
}
