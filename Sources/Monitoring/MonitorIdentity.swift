// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// Whose statistics these are.
public struct MonitorIdentity: Equatable, Sendable {
  public var process: Int32
  /// CLOCK_MONOTONIC.
  public var started: Instant
  /// Place in `MonitorWords.modes`.
  public var mode: UInt8
  /// The uplink, and the vhost-user socket; what is longer than 64 and 128 octets is cut.
  public var uplink: String
  public var socket: String

  public init(process: Int32, started: Instant, mode: UInt8, uplink: String, socket: String) {
    self.process = process
    self.started = started
    self.mode = mode
    self.uplink = uplink
    self.socket = socket
  }
}
