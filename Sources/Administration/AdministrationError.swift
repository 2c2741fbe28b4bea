// SPDX-License-Identifier: Apache-2.0

/// Why a command did not do what was asked for. One sentence, and what is wrong in detail on lines of their own.
public enum AdministrationError: Error, Equatable, Sendable, CustomStringConvertible {
  /// It was tried, and failed.
  case failed(String)
  /// It can't be meant so.
  case usage(String)
  /// Nobody answers.
  case notRunning(String)

  /// The exit status that says so: 1, 2, 3.
  public var status: Int32 {
    switch self {
    case .failed: 1
    case .usage: 2
    case .notRunning: 3
    }
  }

  public var description: String {
    switch self {
    case .failed(let text), .usage(let text), .notRunning(let text): text
    }
  }
}
