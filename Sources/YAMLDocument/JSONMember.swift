// SPDX-License-Identifier: Apache-2.0

/// A name of an object with its value.
public struct JSONMember: Equatable, Sendable {
  public let name: String
  public let value: JSONValue

  public init(_ name: String, _ value: JSONValue) {
    self.name = name
    self.value = value
  }
}
