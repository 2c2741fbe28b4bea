// SPDX-License-Identifier: Apache-2.0

/// The place of a record in a pool: 1 up to the pool's limit; 0 is no record.
///
/// No record is 0, so that memory that is all zero refers to nothing. It means the same in every process that has the
/// memory, whatever the address.
public struct RecordIndex: Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt32

  /// No record.
  @inlinable public static var none: RecordIndex { RecordIndex(rawValue: 0) }

  @inlinable
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  @inlinable public var isNone: Bool { rawValue == 0 }

  /// The place in an array that begins with the first record; negative for `none`, which no array takes.
  @inlinable var position: Int { Int(rawValue) &- 1 }
}
