// SPDX-License-Identifier: Apache-2.0

/// The four ways in which a rule can speak of an end.
public enum EndpointRole: String, CaseIterable, Sendable {
  case guest
  case network
  /// The one that opens the connection.
  case source
  /// The one that it is opened to.
  case destination
}
