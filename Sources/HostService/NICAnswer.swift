// SPDX-License-Identifier: Apache-2.0

/// What a NIC's control socket says: `ok` or `error`, and lines (docs/control.md).
public struct NICAnswer: Equatable, Sendable {
  /// Octets of an answer; more is none.
  public static let longest = 64 * 1024

  public let isGood: Bool
  public let lines: [String]

  /// Nil: it is not whole, or no answer.
  public init?(parsing octets: [UInt8]) {
    guard octets.last == UInt8(ascii: "\n"), octets.count <= Self.longest else { return nil }
    let lines = String(decoding: octets, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: true)
    guard let first = lines.first, first == "ok" || first == "error" else { return nil }
    isGood = first == "ok"
    self.lines = lines.dropFirst().map(String.init)
  }

  /// The value of a line `NAME VALUE`.
  public subscript(name: String) -> String? {
    for line in lines {
      let words = line.split(separator: " ", maxSplits: 1)
      if words.count == 2, words[0] == name { return String(words[1]) }
    }
    return nil
  }

  public var text: String { lines.joined(separator: "; ") }
}
