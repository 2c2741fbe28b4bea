// SPDX-License-Identifier: Apache-2.0

/// What was seen of a NIC's large sends in one period, of about 250 ms, in which the guest went by the size that was announced.
///
/// All of it is measured on a machine that others use too: any figure may be anything.
public struct FirstSizeMeasurement: BitwiseCopyable, Equatable, Sendable {
  /// Wall time, nanoseconds.
  public var elapsed: Int
  /// Of the back-end's thread, nanoseconds.
  public var processorTime: Int
  /// That the guest sent in large packets.
  public var bytes: Int
  /// How many packets these were.
  public var packets: Int
  /// How long, in total, large packets held up what stood behind them: each from its first piece to its last, waiting for the uplink
  /// included. Nanoseconds.
  public var holdTime: Int

  public init(elapsed: Int, processorTime: Int, bytes: Int, packets: Int, holdTime: Int) {
    self.elapsed = elapsed
    self.processorTime = processorTime
    self.bytes = bytes
    self.packets = packets
    self.holdTime = holdTime
  }
}
