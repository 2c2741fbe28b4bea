// SPDX-License-Identifier: Apache-2.0

/// What a message of the control protocol may be at most. Both ends keep to it.
///
/// ## Theory of operation
///
/// One request a connection, over a unix stream socket:
///
///     METHOD PATH LENGTH\n      and LENGTH octets of body
///     STATUS LENGTH\n           and LENGTH octets of body, or: STATUS -\n and lines of text until the end
///
/// PATH is `/v1/...`, with `?key=value&...` behind it; what is not a letter, a digit or one of `-._~` in a segment, key or value may be
/// percent-encoded (RFC 3986), and has to be if it means something to the path or is no printable ASCII. STATUS is as in HTTP, so that a gateway
/// can hand it on. Answers are JSON on one line. This target knows the two lines, JSON and the client's side; what the paths mean is the
/// server's affair (docs/host-service.md).
public enum ControlLimits {
  /// Octets of the first line, its newline included.
  public static let line = 4096
  /// Octets of a body.
  public static let body = 4 << 20
  /// How deep a JSON value may be nested.
  public static let depth = 32
}
