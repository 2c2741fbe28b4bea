// SPDX-License-Identifier: Apache-2.0

/// A word that a knob can have for a value, and the word of docs/policy.md for it.
public struct KnobChoice: Sendable {
  public let word: String
  public let flat: String

  init(_ word: String, _ flat: String? = nil) {
    self.word = word
    self.flat = flat ?? word
  }
}
