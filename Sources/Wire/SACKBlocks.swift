// SPDX-License-Identifier: Apache-2.0

/// Up to four ranges for a SACK option, the most recent first (RFC 2018 §4).
public struct SACKBlocks: BitwiseCopyable, Equatable, Sendable {
  /// As many as 40 bytes of options hold.
  public static let maximumCount = 4

  private var ranges: InlineArray<4, SequenceRange>
  public private(set) var count: Int

  public init() {
    let none = SequenceNumber(rawValue: 0)
    ranges = InlineArray(repeating: SequenceRange(start: none, end: none))
    count = 0
  }

  @inlinable
  public var isEmpty: Bool { count == 0 }

  /// - Returns: false, and nothing was added, if there are four already.
  @discardableResult
  public mutating func append(_ range: SequenceRange) -> Bool {
    guard count < Self.maximumCount else { return false }
    ranges[count] = range
    count &+= 1
    return true
  }

  /// The `index`th, below `count`.
  public subscript(index: Int) -> SequenceRange {
    precondition(index >= 0 && index < count, "out of bounds")
    return ranges[index]
  }

  /// What the receiver says it has received twice (RFC 2883 §4): the first block, if it lies below the acknowledgment number or within the second.
  public func duplicate(acknowledgedTo number: SequenceNumber) -> SequenceRange? {
    guard count > 0, !ranges[0].isEmpty else { return nil }
    let first = ranges[0]
    let isWithin = count > 1 && first.start >= ranges[1].start && first.end <= ranges[1].end
    return first.end <= number || isWithin ? first : nil
  }

  public static func == (left: SACKBlocks, right: SACKBlocks) -> Bool {
    guard left.count == right.count else { return false }
    for index in 0..<left.count where left.ranges[index] != right.ranges[index] { return false }
    return true
  }
}
