// SPDX-License-Identifier: Apache-2.0

/// Lines that wait for one reader of events. A reader that is too slow is told so and sent away: nobody waits for it.
public struct EventQueue {
  /// Octets that may wait.
  public static let limit = 256 * 1024

  private var octets: [UInt8] = []
  /// It gets what waits, and no more.
  public private(set) var isOver = false

  public init() {}

  public var isEmpty: Bool { octets.isEmpty }
  public var count: Int { octets.count }

  /// - Parameter line: without its newline.
  public mutating func append(_ line: String) {
    guard !isOver else { return }
    guard octets.count + line.utf8.count < Self.limit else {
      isOver = true
      octets +=
        "{\"event\": \"dropped\", \"text\": \"this reader was too slow; events are missing from here on\"}\n".utf8
      return
    }
    octets += line.utf8
    octets.append(UInt8(ascii: "\n"))
  }

  /// The first octets that wait.
  public func first(_ count: Int) -> [UInt8] { Array(octets.prefix(count)) }

  public mutating func removeFirst(_ count: Int) {
    octets.removeFirst(min(count, octets.count))
  }
}
