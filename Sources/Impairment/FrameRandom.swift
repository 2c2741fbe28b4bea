// SPDX-License-Identifier: Apache-2.0

/// Random bits that depend on a seed, a frame's number and what they are for, and on nothing else: not on what was drawn before.
///
/// The mixing function of Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014.
struct FrameRandom: Sendable {
  /// What is drawn for a frame. The raw values are part of what a seed means: new ones go to the end.
  enum Draw: UInt64 {
    case loss, burst, burstLoss, reorder, duplicate, corrupt, corruptedBit, mark, jitter
  }

  private let seed: UInt64

  init(seed: UInt64) {
    self.seed = Self.mix(seed)
  }

  func bits(_ draw: Draw, frame: UInt64) -> UInt64 {
    Self.mix(Self.mix(seed &+ frame &* 0x9e37_79b9_7f4a_7c15) &+ (draw.rawValue &+ 1) &* 0xd1b5_4a32_d192_ed03)
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
