// SPDX-License-Identifier: Apache-2.0

import TCPPolicy

/// What a field must be.
enum MatchTest: Hashable, Sendable {
  case names(NameMatch)
  /// Normalized, not empty.
  case addresses([AddressBlock])
  /// In order, not overlapping, not empty together with `orNone`.
  case numbers([ClosedRange<Int>], orNone: Bool)
  case opener(ConnectionEnd)

  /// Whether it is known to hold wherever the other does. No is also the answer where only some blocks together cover another.
  func covers(_ other: MatchTest) -> Bool {
    if self == other { return true }
    return switch (self, other) {
    case (.names(let mine), .names(let others)): mine.covers(others)
    case (.addresses(let mine), .addresses(let others)):
      Self.each(others, in: mine, { $0.first <= $1.first }, { $0.contains($1) })
    case (.numbers(let mine, let mayLack), .numbers(let others, let otherMayLack)):
      (mayLack || !otherMayLack)
        && Self.each(others, in: mine, { $0.lowerBound <= $1.lowerBound }, { $0.upperBound >= $1.upperBound })
    case (.opener, .opener), (.names, _), (.addresses, _), (.numbers, _), (.opener, _): false
    }
  }

  /// Whether of some that are in order and have nothing in common the last that begins no later contains each of the others.
  private static func each<Part>(
    _ others: [Part], in mine: [Part], _ isNoLater: (Part, Part) -> Bool, _ contains: (Part, Part) -> Bool
  ) -> Bool {
    others.allSatisfy { other in
      var (low, high) = (0, mine.count)
      while low < high {
        let middle = (low + high) / 2
        if isNoLater(mine[middle], other) { low = middle + 1 } else { high = middle }
      }
      return low > 0 && contains(mine[low - 1], other)
    }
  }
}
