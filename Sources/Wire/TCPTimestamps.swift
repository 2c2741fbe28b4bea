// SPDX-License-Identifier: Apache-2.0

/// The two values of the Timestamps option, RFC 7323 §3.2.
public struct TCPTimestamps: BitwiseCopyable, Hashable, Sendable {
  /// TSval.
  public var value: UInt32
  /// TSecr; of no meaning in a segment without ACK.
  public var echo: UInt32

  @inlinable
  public init(value: UInt32, echo: UInt32) {
    self.value = value
    self.echo = echo
  }
}
