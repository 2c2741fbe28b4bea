// SPDX-License-Identifier: Apache-2.0

import Memory

/// What is said of a frame, put together of words that are there already: nothing is allocated for it.
///
/// It is cut at `most` octets.
public struct CaptureComment {
  static let most = 240

  private let memory = ByteRegion.allocate(count: most)
  private var count = 0

  public init() {}

  public func deallocate() { memory.deallocate() }

  var text: ByteRegion { memory.slice(from: 0, count: count) }
  public var isEmpty: Bool { count == 0 }

  public mutating func clear() { count = 0 }

  /// Begins a new sentence.
  public mutating func add(_ phrase: [UInt8]) {
    if count > 0 { append(Self.separator) }
    append(phrase)
  }

  /// Goes on with the sentence.
  public mutating func append(_ phrase: [UInt8]) {
    guard phrase.count <= Self.most &- count else { return }
    memory.copy(from: phrase, at: count)
    count &+= phrase.count
  }

  /// Goes on with the number, in decimal digits.
  public mutating func append(_ number: Int) {
    var digits = 1
    var rest = number.magnitude / 10
    while rest > 0 {
      digits &+= 1
      rest /= 10
    }
    guard digits &+ 1 <= Self.most &- count else { return }
    if number < 0 {
      memory.store(UInt8(ascii: "-"), at: count)
      count &+= 1
    }
    rest = number.magnitude
    for place in (0..<digits).reversed() {
      memory.store(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10), at: count &+ place)
      rest /= 10
    }
    count &+= digits
  }

  private static let separator = Array("; ".utf8)
}
