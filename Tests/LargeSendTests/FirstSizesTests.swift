// SPDX-License-Identifier: Apache-2.0

import LargeSend
import Packets
import Testing

@Suite("R61, R62: the first size") struct FirstSizesTests {
  /// Bytes beside the segments that Linux keeps free in a packet: MAX_TCP_HEADER and one.
  private static let reserve = 321

  /// Segments of the largest packet that Linux makes.
  private static func segments(_ size: Int, _ segment: Int) -> Int { (size - reserve) / segment }

  @Test("A packet of a first size is cut without a rest", arguments: [1500, 1400, 9000], [65_535, 32_767, 16_383])
  func withoutRest(mtu: Int, limit: Int) {
    let limits = EgressLimits(ipv4Bytes: limit, ipv6Bytes: limit, segments: 65_535)
    for multiple in 1...FirstSizes.mostMultiple(limits: limits, mtu: mtu) {
      let sizes = FirstSizes(multiple: multiple, limits: limits, mtu: mtu)
      #expect(sizes.ipv4 <= FirstSizes.most && sizes.ipv6 <= FirstSizes.most)
      #expect(Self.segments(sizes.ipv4, mtu - 52) == multiple * ((limit - 66) / (mtu - 52)))
      #expect(Self.segments(sizes.ipv6, mtu - 72) == multiple * ((limit - 86) / (mtu - 72)))
      #expect(FirstSizes.multiple(within: sizes.ipv4, limits: limits, mtu: mtu) == multiple)
    }
  }

  @Test("What is asked is rounded down, and the most that Linux makes is eight ordinary packets")
  func rounded() {
    let limits = EgressLimits.ordinary
    for (asked, multiple) in [
      (65_536, 1), (100_000, 1), (262_143, 4), (262_144, 4), (300_000, 4), (524_280, 8), (Int.max, 8),
    ] {
      #expect(FirstSizes.multiple(within: asked, limits: limits, mtu: 1500) == multiple)
    }
    #expect(FirstSizes.mostMultiple(limits: limits, mtu: 1500) == 8)
    #expect(FirstSizes(multiple: 1, limits: limits, mtu: 1500) == .ordinary)
    #expect(FirstSizes(multiple: 4, limits: limits, mtu: 1500).ipv4 == 4 * 45 * 1448 + 1447)
  }

  @Test("An interface that takes few segments is the measure as well")
  func fewSegments() {
    let limits = EgressLimits(ipv4Bytes: 65_535, ipv6Bytes: 65_535, segments: 24)
    #expect(FirstSizes(multiple: 2, limits: limits, mtu: 1500).ipv4 == 2 * 24 * 1448 + 1447)
  }

  @Test("Whatever an interface says of itself there is a size")
  func strange() {
    for bytes in [0, 1, 66, 1514, 1 << 20, Int.max] {
      for segments in [1, 2, 65_536] {
        for mtu in [Int.min, 0, 1, 68, 65_535, Int.max] {
          let limits = EgressLimits(ipv4Bytes: bytes, ipv6Bytes: bytes, segments: segments)
          let most = FirstSizes.mostMultiple(limits: limits, mtu: mtu)
          for multiple in [Int.min, 0, 1, most, Int.max] {
            let sizes = FirstSizes(multiple: multiple, limits: limits, mtu: mtu)
            #expect((FirstSizes.least...FirstSizes.most).contains(sizes.ipv4))
            #expect((FirstSizes.least...FirstSizes.most).contains(sizes.ipv6))
          }
          for size in [Int.min, 0, 65_536, Int.max] {
            #expect(FirstSizes.multiple(within: size, limits: limits, mtu: mtu) >= 1)
          }
        }
      }
    }
  }

  @Test("An administrator's word")
  func settings() {
    for (text, setting) in [
      ("off", .off), ("mix", .tuned(.mix)), ("latency", .tuned(.latency)), ("4096", .size(4096)),
      ("524280", .size(524_280)), ("64KiB", .size(65_536)),
      ("512KiB", .size(524_280)),
    ] as [(String, LargeSendSetting)] {
      #expect(LargeSendSetting(parsing: text) == setting)
    }
    for text in [
      "", "on", "4095", "524281", "513KiB", "3KiB", "KiB", "-4096", "+-1", "9223372036854775807KiB", "64 KiB", "64kib",
      "99999999999999999999", "0x10000",
    ] {
      #expect(LargeSendSetting(parsing: text) == nil, "\(text)")
    }
  }
}
