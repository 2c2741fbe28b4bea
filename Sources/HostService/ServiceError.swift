// SPDX-License-Identifier: Apache-2.0

public import ControlProtocol

/// What was asked for can't be done: with which status, and what a person is told.
public struct ServiceError: Error, Equatable, Sendable, CustomStringConvertible {
  public let status: ControlStatus
  public let failure: ControlFailure

  public init(_ status: ControlStatus, _ sentence: String, mistakes: [String] = []) {
    self.status = status
    failure = ControlFailure(sentence, mistakes: mistakes)
  }

  public var answer: ControlAnswer { ControlAnswer(status, failure) }

  public var description: String { failure.description }
}
