// SPDX-License-Identifier: Apache-2.0

import Testing
import Uplinks
import Virtio

@testable import Datapath

@Suite("Guest abilities: what was negotiated, said in frames")
struct GuestAbilitiesTests {
  @Test(
    arguments: [
      ([], 10), (.version1, 12), (.mergeableReceiveBuffers, 12), ([.version1, .mergeableReceiveBuffers], 12),
    ] as [(VirtioFeatures, Int)])
  func headerHasTheBufferCountWithVersion1OrMerging(features: VirtioFeatures, length: Int) {
    #expect(GuestAbilities(features).headerLength == length)
  }

  @Test(
    arguments: [
      ([], []), (.guestChecksum, .checksum), ([.guestChecksum, .guestTSO4], [.checksum, .tso4]),
      ([.guestChecksum, .guestTSO6], [.checksum, .tso6]), ([.guestChecksum, .guestUSO4], [.checksum, .uso4]),
      ([.guestChecksum, .guestUSO6], [.checksum, .uso6]),
      ([.guestChecksum, .guestTSO4, .guestECN], [.checksum, .tso4, .ecn]),
      ([.guestTSO4, .guestTSO6, .guestECN, .guestUSO4, .guestUSO6], []),
      // What the guest may send is not what it takes.
      ([.checksum, .hostTSO4, .hostTSO6, .hostUSO, .hostECN], []),
    ] as [(VirtioFeatures, ReceiveOffloads)])
  func offloadsAreThoseOfTheGuestAndNeedTheChecksum(features: VirtioFeatures, offloads: ReceiveOffloads) {
    let abilities = GuestAbilities(features)
    #expect(abilities.offloads == offloads)
    #expect(abilities.takesLargeFrames == !offloads.isDisjoint(with: [.tso4, .tso6, .uso4, .uso6]))
  }

  @Test func smallestUsefulBufferHoldsTheHeaderOrAFrame() {
    #expect(GuestAbilities([.version1, .mergeableReceiveBuffers]).smallestBuffer == 12)
    #expect(GuestAbilities(.version1).smallestBuffer == 26)
    #expect(GuestAbilities([]).smallestBuffer == 24)
  }
}
