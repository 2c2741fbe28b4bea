// SPDX-License-Identifier: Apache-2.0

/// What can't be measured, in a sentence.
struct BenchError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
