// SPDX-License-Identifier: Apache-2.0

/// A mistake on the command line: one sentence that says how to mend it.
struct APIOptionsError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}
