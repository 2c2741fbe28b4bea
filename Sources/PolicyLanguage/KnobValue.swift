// SPDX-License-Identifier: Apache-2.0

/// What a knob is set to.
enum KnobValue: Hashable, Sendable {
  /// In the unit of its kind.
  case number(Int)
  /// One of the words of its kind; `on` or `off`.
  case word(String)
  /// Sorted as its kind has them.
  case words([String])

  var number: Int? {
    guard case .number(let number) = self else { return nil }
    return number
  }

  var word: String? {
    guard case .word(let word) = self else { return nil }
    return word
  }

  var words: [String] {
    guard case .words(let words) = self else { return [] }
    return words
  }
}
