// SPDX-License-Identifier: Apache-2.0

/// What QEMU does with the socket of a vhost-user interface: `<source mode=...>`.
public enum SocketMode: String, Sendable, CaseIterable {
  /// QEMU connects; the back-end listens.
  case client
  /// QEMU listens; the back-end connects.
  case server
}
