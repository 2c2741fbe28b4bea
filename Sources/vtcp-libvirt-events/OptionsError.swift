// SPDX-License-Identifier: Apache-2.0

/// A mistake on the command line, in a sentence.
struct OptionsError: Error, CustomStringConvertible {
  let description: String
}
