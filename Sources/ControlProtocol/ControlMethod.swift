// SPDX-License-Identifier: Apache-2.0

/// What is to be done with what the path names.
public enum ControlMethod: String, CaseIterable, Sendable {
  /// Read it; changes nothing.
  case get = "GET"
  /// Make it so; twice is as good as once.
  case put = "PUT"
  /// Do it.
  case post = "POST"
  /// Take it away.
  case delete = "DELETE"
}
