// SPDX-License-Identifier: Apache-2.0

/// A word that stands for a number: `auto`, `none`, `unlimited`.
public struct KnobWord: Sendable {
  public let word: String
  public let number: Int

  init(_ word: String, _ number: Int) {
    self.word = word
    self.number = number
  }
}
