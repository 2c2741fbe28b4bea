// SPDX-License-Identifier: Apache-2.0

/// A TCP sequence number: a place in a stream, modulo 2³² (RFC 9293 §3.4).
///
/// Which of two is the earlier is decided by the shorter way between them, so it is known only for numbers less than 2³¹
/// apart, and it is not transitive: hence not `Comparable`. Exactly one of `<`, `==`, `>` holds for any two, whatever they
/// are. Numbers exactly 2³¹ apart are each `<` the other.
public struct SequenceNumber: BitwiseCopyable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: UInt32

  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Octets from here to `other`, in -2³¹ ..< 2³¹; negative if `other` is earlier.
  @inlinable
  public func distance(to other: SequenceNumber) -> Int { other - self }

  @inlinable
  public static func - (left: SequenceNumber, right: SequenceNumber) -> Int {
    Int(Int32(bitPattern: left.rawValue &- right.rawValue))
  }

  @inlinable
  public static func + (number: SequenceNumber, octets: Int) -> SequenceNumber {
    SequenceNumber(rawValue: number.rawValue &+ UInt32(truncatingIfNeeded: octets))
  }

  @inlinable
  public static func - (number: SequenceNumber, octets: Int) -> SequenceNumber {
    SequenceNumber(rawValue: number.rawValue &- UInt32(truncatingIfNeeded: octets))
  }

  @inlinable
  public static func += (number: inout SequenceNumber, octets: Int) { number = number + octets }

  @inlinable
  public static func < (left: SequenceNumber, right: SequenceNumber) -> Bool { left - right < 0 }

  @inlinable
  public static func <= (left: SequenceNumber, right: SequenceNumber) -> Bool { left - right <= 0 }

  @inlinable
  public static func > (left: SequenceNumber, right: SequenceNumber) -> Bool { left - right > 0 }

  @inlinable
  public static func >= (left: SequenceNumber, right: SequenceNumber) -> Bool { left - right >= 0 }

  /// The later of two; `one` where neither is.
  @inlinable
  public static func later(_ one: SequenceNumber, _ other: SequenceNumber) -> SequenceNumber {
    other > one ? other : one
  }

  /// The earlier of two; `one` where neither is.
  @inlinable
  public static func earlier(_ one: SequenceNumber, _ other: SequenceNumber) -> SequenceNumber {
    other < one ? other : one
  }

  public var description: String { "\(rawValue)" }
}
