// SPDX-License-Identifier: Apache-2.0

/// What was asked for at the control socket can't be done: one sentence that says why.
struct ControlError: Error, Equatable, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
