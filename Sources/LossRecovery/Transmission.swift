// SPDX-License-Identifier: Apache-2.0

public import Arena
public import Timekeeping
public import Wire

/// Where all sides of all connections have their `Transmission`s.
public typealias TransmissionPool = RecordPool<Transmission>

/// Octets that were sent at one time and that share one fate so far: a record of the scoreboard. 40 bytes, twelve of them for `mark`: what they
/// hold lies too far apart in time to be told in the six that 32 leave, and a table of marks beside would be one more for each side.
public struct Transmission: BitwiseCopyable, Sendable {
  public internal(set) var range: SequenceRange
  /// When they were sent last.
  public internal(set) var sent: Instant
  var previous: RecordIndex
  var next: RecordIndex
  public internal(set) var flags: TransmissionFlags
  /// How often they were sent again; stays at 255.
  public internal(set) var retransmissions: UInt8
  /// `DeliveryRate.lostUnits` when they were sent; where `mark` has no room for it. As that: only where rates are measured.
  var lostUnits: UInt16 = 0
  var mark = DeliveryMark()
}
