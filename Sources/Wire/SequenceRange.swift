// SPDX-License-Identifier: Apache-2.0

/// Octets of a stream, from `start` up to, not including, `end`. What a SACK block says (RFC 2018 §3).
///
/// Any two numbers make one, as they come from the network; where `end` is not later than `start`, it is empty.
public struct SequenceRange: BitwiseCopyable, Hashable, Sendable, CustomStringConvertible {
  public var start: SequenceNumber
  public var end: SequenceNumber

  @inlinable
  public init(start: SequenceNumber, end: SequenceNumber) {
    self.start = start
    self.end = end
  }

  /// `count` octets from `start` on; below 2³¹.
  @inlinable
  public init(start: SequenceNumber, count: Int) {
    self.init(start: start, end: start + count)
  }

  /// In octets; never negative.
  @inlinable
  public var count: Int { max(0, end - start) }

  @inlinable
  public var isEmpty: Bool { end <= start }

  @inlinable
  public func contains(_ number: SequenceNumber) -> Bool {
    // Unsigned: how far behind `start`, all the way round.
    Int(number.rawValue &- start.rawValue) < count
  }

  public var description: String { "\(start)..<\(end)" }
}
