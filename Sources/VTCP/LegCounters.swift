// SPDX-License-Identifier: Apache-2.0

/// What was seen and done on one leg of one connection (R57). All wrap.
///
/// "Came" is from the leg's end, "went" is towards it.
public struct LegCounters: BitwiseCopyable, Equatable, Sendable {
  /// Segments with data that came.
  public var segments: UInt32 = 0
  /// Segments that came and held nothing new.
  public var duplicates: UInt32 = 0
  /// Segments that came ahead of what was expected.
  public var outOfOrder: UInt32 = 0
  /// Acknowledgments that came and repeated the last one while data were on their way.
  public var duplicateAcknowledgments: UInt32 = 0
  /// Times that the end closed its window.
  public var zeroWindows: UInt16 = 0
  /// Timeouts of ours.
  public var timeouts: UInt16 = 0
  /// Segments that we sent again.
  public var retransmissions: UInt32 = 0
  /// Acknowledgments that we sent in the other end's name.
  public var earlyAcknowledgments: UInt32 = 0
  /// Acknowledgments of the end that we kept to ourselves.
  public var swallowedAcknowledgments: UInt32 = 0

  public init() {}
}
