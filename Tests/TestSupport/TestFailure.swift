// SPDX-License-Identifier: Apache-2.0

/// What the mocks throw: a sentence that says what was awaited and what came instead.
public struct TestFailure: Error, CustomStringConvertible, Sendable {
  public let description: String

  public init(_ description: String) {
    self.description = description
  }
}
