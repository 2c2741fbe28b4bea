// SPDX-License-Identifier: Apache-2.0

import Impairment
import Testing
import Timekeeping

@Suite("What happens to frames by chance")
struct FateTests {
  private static let frames = 50_000

  private func settings(_ text: String) throws -> ImpairmentSettings { try ImpairmentSettings(parsing: text) }

  private func fates(_ text: String, seed: UInt64 = 1, lengths: (Int) -> Int = { _ in 1_500 }) throws -> [FrameFate] {
    var fates = FrameFates(try settings(text), seed: seed)
    return (0..<Self.frames).map { fates.next(length: lengths($0)) }
  }

  private static let all = "loss=3%,bursts=1%/20%,reorder=4%,duplicate=5%,corrupt=6%,mark=7%,jitter=1ms"

  @Test func fateOfAFrameDependsOnSeedAndNumberOnly() throws {
    #expect(try fates(Self.all) == fates(Self.all))
    #expect(try fates(Self.all) != fates(Self.all, seed: 2))
    // Lengths change only which bit is turned over.
    let others = try fates(Self.all, lengths: { 60 + $0 % 1_400 })
    for (one, other) in zip(try fates(Self.all), others) {
      var same = other
      same.corruptedBit = one.corruptedBit
      #expect(same == one)
      #expect((one.corruptedBit == nil) == (other.corruptedBit == nil))
    }
  }

  @Test func oneChanceMoreChangesNoOther() throws {
    let less = try fates("loss=3%,bursts=1%/20%,duplicate=5%")
    let more = try fates(Self.all)
    #expect(less.map(\.isLost) == more.map(\.isLost))
    #expect(less.map(\.isLostInBurst) == more.map(\.isLostInBurst))
    #expect(less.map(\.isDuplicated) == more.map(\.isDuplicated))
  }

  /// Four standard deviations of a binomial distribution.
  private func isNear(_ count: Int, _ part: Double) -> Bool {
    let expected = part * Double(Self.frames)
    return abs(Double(count) - expected) <= 4 * (expected * (1 - part)).squareRoot()
  }

  @Test(arguments: 1...5 as ClosedRange<UInt64>)
  func chancesAreAsOftenAsWasAskedFor(seed: UInt64) throws {
    let fates = try fates(Self.all, seed: seed)
    #expect(isNear(fates.count { $0.isLost }, 0.03))
    #expect(isNear(fates.count { $0.isReordered }, 0.04))
    #expect(isNear(fates.count { $0.isDuplicated }, 0.05))
    #expect(isNear(fates.count { $0.corruptedBit != nil }, 0.06))
    #expect(isNear(fates.count { $0.isMarked }, 0.07))
    // Independent of each other.
    #expect(isNear(fates.count { $0.isLost && $0.isMarked }, 0.03 * 0.07))
    #expect(fates.allSatisfy { (-1...1).contains($0.jitter) && (0..<12_000).contains($0.corruptedBit ?? 0) })
    let mean = fates.map(\.jitter).reduce(0, +) / Double(Self.frames)
    #expect(abs(mean) < 0.02)
  }

  @Test func neverAndAlwaysAreWhatTheySay() throws {
    #expect(try fates("").allSatisfy { !$0.isLost && !$0.isLostInBurst && !$0.isDuplicated && $0.corruptedBit == nil })
    #expect(try fates("loss=100%,duplicate=1").allSatisfy { $0.isLost && $0.isDuplicated })
  }

  @Test(arguments: [(0.01, 0.2, 1.0), (0.002, 0.05, 0.5)])
  func burstsAreAsLongAndAsFrequentAsWasAskedFor(toBad: Double, toGood: Double, loss: Double) throws {
    let fates = try fates("bursts=\(toBad)/\(toGood)/\(loss)", seed: 3)
    let lost = fates.count { $0.isLostInBurst }
    let expected = Double(Self.frames) * toBad / (toBad + toGood) * loss
    #expect(abs(Double(lost) - expected) < 0.25 * expected)
    guard loss == 1 else { return }
    let beginnings = zip(fates.dropFirst(), fates).count { $0.isLostInBurst && !$1.isLostInBurst }
    let length = Double(lost) / Double(beginnings)
    #expect(abs(length - 1 / toGood) < 0.15 / toGood)
  }
}
