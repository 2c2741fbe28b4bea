// SPDX-License-Identifier: Apache-2.0

import Arena
import FrameSupport
import Memory
import Testing

@Suite("Hash of a key")
struct KeyHashTests {
  @Test func sameKeyAndSeedGiveTheSameHashAndOctetsAreTheWords() {
    var random = SplitMix64(seed: 1)
    for _ in 0..<100 {
      let hash = KeyHash(seed: random.next())
      ByteRegion.with(random.bytes(56)) { region in
        let words = (0..<6).map { region.load(UInt64.self, at: 8 + $0 * 8) }
        let expected = hash.hash(words[0], words[1], words[2], words[3], words[4], words[5])
        #expect(hash.hash(region, at: 8) == expected)
        #expect(KeyHash(seed: 7).hash(region, at: 8) != expected)
      }
    }
  }

  /// Each bit of a key changes each bit of the hash in about half of all cases.
  @Test func everyBitOfAKeyChangesHalfOfTheHash() {
    var random = SplitMix64(seed: 2)
    var flips = [[Int]](repeating: [Int](repeating: 0, count: 64), count: 384)
    let rounds = 400
    for _ in 0..<rounds {
      let hash = KeyHash(seed: random.next())
      let region = ByteRegion.allocate(count: 48)
      defer { region.deallocate() }
      region.copy(from: random.bytes(48))
      let before = hash.hash(region)
      for bit in 0..<384 {
        let byte = region.load(UInt8.self, at: bit / 8)
        region.store(byte ^ (1 << UInt8(bit % 8)), at: bit / 8)
        let changed = before ^ hash.hash(region)
        region.store(byte, at: bit / 8)
        for place in 0..<64 { flips[bit][place] += Int(changed >> UInt64(place) & 1) }
      }
    }
    // 200 expected, standard deviation 10.
    #expect(flips.joined().allSatisfy { (140...260).contains($0) })
  }

  /// Addresses and ports that are near each other, as those of one host's flows are.
  @Test func keysThatDifferInTwoNumbersAreSpreadEvenly() {
    let hash = KeyHash(seed: 99)
    var slots = [Int](repeating: 0, count: 1_024)
    for host in 0..<64 as Range<UInt64> {
      for port in 0..<1_024 as Range<UInt64> {
        slots[Int(hash.hash(10 << 24 | host, 0, 10 << 24, 0, port << 16 | 80, 6) >> 32 & 1_023)] += 1
      }
    }
    // 64 expected, standard deviation 8.
    #expect(slots.allSatisfy { (20...110).contains($0) })
  }
}
