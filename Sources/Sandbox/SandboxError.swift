// SPDX-License-Identifier: Apache-2.0

/// What of the confinement could not be had: one sentence that says why.
public struct SandboxError: Error, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }

  /// EPERM
  static let notPermitted: Int32 = 1
  /// ESRCH
  static let noSuchProcess: Int32 = 3
}
