// SPDX-License-Identifier: Apache-2.0

/// What a simulated leg does to frames, one way. Chances are of 1024.
public struct LegParameters: Sendable {
  /// Nanoseconds.
  public var delay: Int64 = 100_000
  /// Up to so much more, each frame on its own: more than the distance of frames means reordering.
  public var jitter: Int64 = 0
  public var loss = 0
  /// Chance that a burst of losses begins, and how many frames it takes.
  public var burst = 0
  public var burstLength = 0
  public var duplication = 0
  public var corruption = 0
  /// Bytes of the largest IPv4 packet; a router tells the guest of larger ones. 0: there is no limit.
  public var largestPacket = 0
  /// Chance that a frame that says ECT is marked CE.
  public var marking = 0
  /// Nanoseconds that a byte takes; 0: none.
  public var byteTime: Int64 = 0
  /// Bytes that may wait for a leg of a rate; what comes then is lost. 0: there is no limit.
  public var queueBytes = 0
  /// Bytes that wait for a leg of a rate, beyond which a frame that says ECT is marked CE; 0: none is.
  public var markBytes = 0
  /// Frames that it takes at once; more have to wait outside.
  public var capacity = 1_000
  /// It stands still for the first of every two of these spans; 0: never. A guest that waits for a processor.
  public var stallOff: Int64 = 0
  public var stallOn: Int64 = 0

  public init() {}
}
