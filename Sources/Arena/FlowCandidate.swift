// SPDX-License-Identifier: Apache-2.0

/// A record whose hash may be the one looked for, and where the index has it. Valid until the index changes.
public struct FlowCandidate: BitwiseCopyable, Sendable {
  /// The record; none if there are no more.
  public let index: RecordIndex
  let tag: UInt32
  let slot: Int
  /// How far from the tag's own slot that is.
  let distance: Int
}
