// SPDX-License-Identifier: Apache-2.0

/// How a request came out, in the numbers of HTTP (RFC 9110, 15).
public enum ControlStatus: Int, CaseIterable, Sendable {
  case good = 200
  /// The request has mistakes; the body names them.
  case mistaken = 400
  /// Who asks may not.
  case forbidden = 403
  /// What it is about is not there.
  case notFound = 404
  /// It can't be done as things are.
  case conflict = 409
  /// It failed, and not by who asked.
  case failed = 500
  /// Not now: too much is going on, or something that is needed does not answer.
  case unavailable = 503
}
