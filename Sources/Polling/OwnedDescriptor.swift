// SPDX-License-Identifier: Apache-2.0

import CLinux

/// A file descriptor that is closed exactly once: when its last owner lets it go.
public final class OwnedDescriptor: Sendable {
  public let rawValue: Int32

  /// Takes over `rawValue`; nobody else may close it.
  public init(_ rawValue: Int32) {
    self.rawValue = rawValue
  }

  deinit {
    _ = vtcp_close(rawValue)
  }

  /// Takes over what a shim returned, or throws its error.
  convenience init(_ call: String, _ result: Int32) throws(SystemError) {
    try self.init(SystemCalls.check(call, result))
  }
}
