// SPDX-License-Identifier: Apache-2.0

/// A system call that failed: which one, and why.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was tried, with its object where that helps: "bind /run/nic.sock".
  public let call: String
  /// The errno value.
  public let code: Int32

  public init(call: String, code: Int32) {
    self.call = call
    self.code = code
  }

  /// Why, in the C library's words.
  public var reason: String { SystemCalls.errorText(code) }

  public var description: String { "\(call): \(reason)" }
}
