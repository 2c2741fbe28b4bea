// SPDX-License-Identifier: Apache-2.0

/// One sentence that says what is wrong, and how to mend it.
struct RelayError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}
