// SPDX-License-Identifier: Apache-2.0

/// A packet of a capture, as it is read.
public struct CapturedPacket: Equatable, Sendable {
  /// As it is called in the file.
  public let interfaceName: String
  /// Nil: it is not said.
  public let direction: CapturePoint.Direction?
  /// Unix time in nanoseconds.
  public let time: UInt64
  /// Bytes of the packet, of which `bytes` are the first.
  public let length: Int
  public let bytes: [UInt8]
  /// Nothing: it has none.
  public let comment: String
  /// Packets between the last one and this that were missed.
  public let missedBefore: UInt64

  public init(
    interfaceName: String, direction: CapturePoint.Direction?, time: UInt64, length: Int, bytes: [UInt8],
    comment: String, missedBefore: UInt64
  ) {
    self.interfaceName = interfaceName
    self.direction = direction
    self.time = time
    self.length = length
    self.bytes = bytes
    self.comment = comment
    self.missedBefore = missedBefore
  }
}
