// SPDX-License-Identifier: Apache-2.0

public import Polling

/// Why no answer came.
public enum ControlClientError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Nobody listens at the path, or it may not be used.
  case unreachable(SystemError)
  /// It listens, and was silent for longer than we wait.
  case timedOut(path: String)
  /// What came is no answer, or not all of one.
  case broken(String)

  /// Nothing listens there: the service does not run, or listens elsewhere.
  public var isNotRunning: Bool {
    guard case .unreachable(let error) = self else { return false }
    return error.code == Self.noSuchFile || error.code == Self.connectionRefused
  }

  public var description: String {
    switch self {
    case .unreachable(let error): "\(error)"
    case .timedOut(let path): "vtcpd does not answer on \(path)"
    case .broken(let why): "the answer can't be understood: \(why)"
    }
  }

  static let noSuchFile: Int32 = 2
  static let connectionRefused: Int32 = 111
  /// EAGAIN: the backlog is full.
  static let again: Int32 = 11
}
