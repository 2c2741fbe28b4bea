// SPDX-License-Identifier: Apache-2.0

/// By what names the descriptors of a front-end's session are kept (docs/keeping.md). Others may read them: they stay what they are.
enum SessionName {
  static let connection = "connection"
  static let requestChannel = "backend-requests"
  static let log = "log"
  static let logCall = "log-call"
  static func memory(_ slot: Int) -> String { "memory-\(slot)" }
  static func kick(_ vring: Int) -> String { "kick-\(vring)" }
  static func call(_ vring: Int) -> String { "call-\(vring)" }
  static func error(_ vring: Int) -> String { "error-\(vring)" }
}
