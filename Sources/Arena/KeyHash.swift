// SPDX-License-Identifier: Apache-2.0

public import Memory

/// The hash of a key of 48 octets, for `FlowIndex`.
///
/// Each pair of words is mixed with words of the seed and multiplied to 128 bits, of which both halves are kept: three
/// multiplications that don't wait for each other, and one more. Not a cryptographic hash: who knows the seed, or learns much of the
/// hashes, can make keys that collide. Guests and the network choose keys, so the seed is random and never leaves the machine, and
/// `FlowIndex` bounds what collisions cost.
public struct KeyHash: BitwiseCopyable, Sendable {
  private let first: UInt64
  private let second: UInt64
  private let third: UInt64
  private let fourth: UInt64
  private let fifth: UInt64
  private let sixth: UInt64

  /// - Parameter seed: random; whoever goes on with an index of this hash needs the same.
  public init(seed: UInt64) {
    // Words that are far apart for seeds that are near: the generator of Steele, Lea and Flood (OOPSLA 2014).
    var state = seed
    func word() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
      return mixed ^ (mixed >> 31)
    }
    first = word()
    second = word()
    third = word()
    fourth = word()
    fifth = word()
    sixth = word()
  }

  /// The hash of six words.
  public func hash(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64, _ e: UInt64, _ f: UInt64) -> UInt64 {
    let pairs = Self.mix(a ^ first, b ^ second) ^ Self.mix(c ^ third, d ^ fourth) ^ Self.mix(e ^ fifth, f ^ sixth)
    return Self.mix(pairs ^ first, fourth | 1)
  }

  /// The hash of the 48 octets from `offset` on, read as six words of the host.
  public func hash(_ region: ByteRegion, at offset: Int = 0) -> UInt64 {
    let key = region.slice(from: offset, count: 48)
    return hash(
      key.load(at: 0), key.load(at: 8), key.load(at: 16), key.load(at: 24), key.load(at: 32), key.load(at: 40))
  }

  private static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}
