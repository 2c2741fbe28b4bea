// SPDX-License-Identifier: Apache-2.0

import YAMLDocument

/// What is wrong with a text, as compilers say it: `FILE:LINE:COLUMN: error: what`. So many and no more.
struct MistakeList {
  private static let most = 100

  let file: String
  private var mistakes: [(mark: YAMLMark, sentence: String)] = []

  init(file: String) {
    self.file = file
  }

  var isEmpty: Bool { mistakes.isEmpty }

  mutating func add(_ mark: YAMLMark, _ sentence: String) {
    if mistakes.count < Self.most { mistakes.append((mark, sentence)) }
  }

  /// In the order of the text.
  var lines: [String] {
    mistakes.sorted { $0.mark < $1.mark }.map { "\(file):\($0.mark): error: \($0.sentence)" }
  }
}
