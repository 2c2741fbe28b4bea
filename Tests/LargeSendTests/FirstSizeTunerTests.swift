// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LargeSend

@Suite("First size: which multiple the tuner finds")
struct FirstSizeTunerTests {
  private func settled(
    _ objective: FirstSizeObjective, from present: Int, _ load: SyntheticLoad, minutes: Int, most: Int = 8
  ) -> Int {
    var run = TunerRun(FirstSizeTuner(objective: objective, most: most, present: present), load)
    run.run(minutes * TunerRun.minute)
    return run.tuner.settledMultiple
  }

  @Test(
    "R68: on the very same load the processor takes 8, latency 1, and a mix what lies between, wherever it begins",
    arguments: [1, 2, 4, 8], 0..<3)
  func objectives(present: Int, seed: Int) {
    let load = SyntheticLoad.ordinary(seed: seed)
    #expect(settled(.cpu, from: present, load, minutes: 20) == 8)
    #expect(settled(.latency, from: present, load, minutes: 5) == 1)
    // 2 and 4 are within 5 %.
    #expect([2, 4].contains(settled(.mix, from: present, load, minutes: 20)))
  }

  @Test("R68: throughput finds the size beyond which caches make it slower", arguments: [1, 8], 0..<4)
  func interior(present: Int, seed: Int) {
    var load = SyntheticLoad.ordinary(seed: seed)
    load.rate = { [1: 7e8, 2: 8.5e8, 4: 1e9, 8: 8e8][$0] ?? 1 }
    #expect(settled(.throughput, from: present, load, minutes: 20) == 4)
  }

  @Test("What is alike to 2 % goes the way of the objective, and what is worse by 6 % that way stays")
  func ties() {
    func load(_ doubling: Double) -> SyntheticLoad {
      let power = { (multiple: Int) in
        (0..<multiple.trailingZeroBitCount).reduce(1.0) { product, _ in product * doubling }
      }
      return SyntheticLoad(
        seed: 1, noise: 0, cost: { 200_000 * power($0) }, rate: { 8e8 / power($0) },
        hold: { 900_000 * power($0) - 100_000 * (1 - power($0)) })
    }
    for objective in [FirstSizeObjective.cpu, .throughput] {
      #expect(settled(objective, from: 1, load(1 / 1.03), minutes: 5) == 8)
      #expect(settled(objective, from: 1, load(1), minutes: 5) == 1)
      #expect(settled(objective, from: 8, load(1.06), minutes: 5) == 8)
      #expect(settled(objective, from: 8, load(1.1), minutes: 5) == 1)
    }
    #expect(settled(.latency, from: 8, load(1.03), minutes: 5) == 1)
    #expect(settled(.latency, from: 1, load(1 / 1.06), minutes: 5) == 1)
    #expect(settled(.latency, from: 1, load(1 / 1.1), minutes: 5) == 8)
    #expect(settled(.mix, from: 1, load(1 / 1.04), minutes: 5) == 1)
    #expect(settled(.mix, from: 8, load(1.04), minutes: 5) == 8)
    #expect(settled(.mix, from: 1, load(1 / 1.06), minutes: 5) == 8)
  }

  @Test("A full link hides the rate, so throughput stays with what is cheaper")
  func fullLink() {
    #expect(settled(.throughput, from: 8, .fullLink(seed: 1), minutes: 60) == 8)
    var costly = SyntheticLoad.fullLink(seed: 2)
    costly.cost = { $0 == 8 ? 600_000 : 200_000 }
    #expect(settled(.throughput, from: 8, costly, minutes: 20) == 4)
  }

  @Test("Where it begins, of any most", arguments: -3...20)
  func beginning(most: Int) {
    let limit = min(max(most, 1), 8)
    func begin(_ objective: FirstSizeObjective, _ present: Int? = nil) -> Int {
      let tuner = FirstSizeTuner(objective: objective, most: most, present: present)
      #expect(tuner.most == limit && tuner.state == .settled && tuner.multiple == tuner.settledMultiple)
      return tuner.multiple
    }
    #expect(begin(.cpu) == limit && begin(.throughput) == limit && begin(.latency) == 1)
    #expect(begin(.mix) == [1, 1, 2, 2, 2, 2, 2, 2][limit - 1])
    #expect(begin(.latency, 4) == [1, 2, 3, 4, 4, 4, 4, 4][limit - 1])
    #expect(begin(.cpu, .min) == 1 && begin(.latency, .max) == limit)
  }

  @Test("The candidates are the powers of two and the most, and all are found", arguments: 1...8)
  func candidates(most: Int) {
    let expected = Set([1, 2, 4, 8, most].filter { $0 <= most })
    var down = TunerRun(FirstSizeTuner(objective: .latency, most: most, present: most), .ordinary(seed: most))
    down.run(5 * TunerRun.minute)
    #expect(Set(down.stays.keys) == expected && down.tuner.settledMultiple == 1)
    #expect(Set((1...8).filter { down.tuner.figures($0) != nil }) == expected)
    var load = SyntheticLoad.ordinary(seed: most)
    load.cost = { 400_000 / Double($0) }
    var up = TunerRun(FirstSizeTuner(objective: .cpu, most: most, present: 1), load)
    up.run(20 * TunerRun.minute)
    #expect(Set(up.stays.keys) == expected && up.tuner.settledMultiple == most)
  }

  @Test("A limit that falls takes effect at once, in the middle of a trial too; one that rises is tried")
  func limits() {
    var run = TunerRun(FirstSizeTuner(objective: .cpu, most: 8), .ordinary(seed: 5))
    while run.tuner.multiple != 4 { run.run(1) }
    #expect(run.tuner.state == .trying(4) && run.tuner.settledMultiple == 8)
    run.tuner.limit(most: 3)
    #expect(run.tuner.multiple == 3 && run.tuner.state == .settled && run.tuner.most == 3)
    run.tuner.limit(most: 0)
    #expect(run.tuner.multiple == 1 && run.tuner.most == 1)
    run.run(10 * TunerRun.minute)
    #expect(run.tuner.multiple == 1 && run.verdicts.isEmpty)
    run.tuner.limit(most: .max)
    #expect(run.tuner.multiple == 1 && run.tuner.most == 8)
    run.run(20 * TunerRun.minute)
    #expect(run.tuner.settledMultiple == 8)
  }

  @Test("The same limit again changes nothing; before the first period another one is where it begins")
  func sameLimit() {
    var run = TunerRun(FirstSizeTuner(objective: .cpu, most: 1), .ordinary(seed: 6))
    run.tuner.limit(most: 4)
    #expect(run.tuner.multiple == 4)
    while run.tuner.multiple == 4 { run.run(1) }
    run.tuner.limit(most: 4)
    #expect(run.tuner.multiple == 2 && run.tuner.state == .trying(2))
    var taken = FirstSizeTuner(objective: .cpu, most: 8, present: 2)
    taken.limit(most: 4)
    #expect(taken.multiple == 2)
  }

  @Test("Another load is noticed soon, however long nothing was tried")
  func otherLoad() {
    var run = TunerRun(FirstSizeTuner(objective: .cpu, most: 8), .ordinary(seed: 7))
    run.run(30 * TunerRun.minute)
    // Until a trial has just ended: the next one is far off.
    let ended = run.verdicts.count
    while run.verdicts.count == ended { run.run(1) }
    #expect(run.tuner.settledMultiple == 8 && run.tuner.state == .settled)
    run.load.cost = { 3_000_000 + 700_000 * Double($0) }
    var periods = 0
    while run.tuner.state == .settled {
      run.run(1)
      periods += 1
    }
    #expect(periods <= 2 * FirstSizeBlock.length + FirstSizeTuner.shortestWait)
    run.run(5 * TunerRun.minute)
    #expect(run.tuner.settledMultiple == 1)
  }

  @Test("A size that packets do not take up is never settled on")
  func withoutEffect() {
    var load = SyntheticLoad.ordinary(seed: 8, noise: 0.05)
    load.isTakenUp = false
    var run = TunerRun(FirstSizeTuner(objective: .cpu, most: 8, present: 1), load)
    run.run(10 * TunerRun.minute)
    #expect(run.changes == 0)
    #expect(!run.verdicts.isEmpty && run.verdicts.allSatisfy { $0.outcome == .withoutEffect })
    // Down as well: a connection may keep the large size that it began with.
    run = TunerRun(FirstSizeTuner(objective: .latency, most: 8, present: 8), load)
    run.run(10 * TunerRun.minute)
    #expect(run.changes == 0)
  }

  @Test("A verdict says what was seen of both sizes")
  func verdicts() throws {
    var run = TunerRun(FirstSizeTuner(objective: .cpu, most: 8, present: 1), .ordinary(seed: 9, noise: 0))
    while run.verdicts.isEmpty { run.run(1) }
    let first = try #require(run.verdicts.first)
    #expect(first.outcome == .adopted && first.present == 1 && first.other == 2)
    #expect(run.tuner.multiple == 2)
    #expect(abs(first.presentFigures.processorTimePerMebibyte - 300_000) < 100)
    #expect(abs(first.otherFigures.processorTimePerMebibyte - 225_000) < 100)
    #expect(abs(first.otherFigures.bytesPerSecond - 900_000_000) < 100_000)
    #expect(abs(first.otherFigures.meanHold - 104_000) < 100)
    #expect(abs(first.otherFigures.bytesPerPacket - 131_072) < 200)
    #expect(
      first.description.starts(with: "1 -> 2: 300 -> 225 us of processor per MiB, ")
        || first.description.starts(with: "1 -> 2: 299 -> 2"))
    #expect(run.tuner.figures(2) == first.otherFigures)
    #expect(run.tuner.figures(3) == nil && run.tuner.figures(8) == nil)
    while run.tuner.settledMultiple != 8 { run.run(1) }
    while run.verdicts.last?.outcome == .adopted { run.run(1) }
    #expect(run.verdicts.last?.description.starts(with: "8, not 4: ") == true)
  }
}
