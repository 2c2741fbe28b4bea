// SPDX-License-Identifier: Apache-2.0

/// How fast one VM may send and receive, all of its connections together: bits per second, of Ethernet frames without checksum, preamble and
/// gap. It is part of a policy as a whole, not of a connection's configuration.
public struct Shaping: BitwiseCopyable, Equatable, Sendable {
  /// What a rate may be: a frame of the largest size takes some seconds at the least of them, and no number that is calculated with the
  /// greatest is beyond 2^63.
  public static let allowed: ClosedRange<Int> = 64_000...1_000_000_000_000

  /// Guest to network; 0: as fast as it can.
  public let transmitRate: Int
  /// Network to guest; 0: as fast as it can.
  public let receiveRate: Int

  /// What is less than the least counts as that, but for 0 and what is below; and so with the greatest.
  public init(transmitRate: Int = 0, receiveRate: Int = 0) {
    self.transmitRate = Self.bounded(transmitRate)
    self.receiveRate = Self.bounded(receiveRate)
  }

  /// There is nothing to rule.
  public var isEmpty: Bool { transmitRate == 0 && receiveRate == 0 }

  private static func bounded(_ rate: Int) -> Int {
    rate <= 0 ? 0 : min(max(rate, allowed.lowerBound), allowed.upperBound)
  }
}
