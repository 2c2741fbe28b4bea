// SPDX-License-Identifier: Apache-2.0

import Impairment
import Testing
import Timekeeping

@Suite("A link's description")
struct SettingsTests {
  @Test func everythingThatCanBeSaidIsUnderstood() throws {
    let settings = try ImpairmentSettings(
      parsing: "delay=10ms,jitter=250us,rate=100mbit,queue=30000,loss=1%,bursts=0.5%/30%/90%,reorder=0.02,"
        + "reorder-by=3ms,duplicate=2%,corrupt=100%,mark=0.25,mark-above=20000,stall=60ms/90ms")
    var expected = ImpairmentSettings()
    expected.delay = .milliseconds(10)
    expected.jitter = .microseconds(250)
    expected.rate = 12_500_000
    expected.queue = 30_000
    expected.loss = Probability(0.01)
    expected.bursts = BurstLoss(toBad: Probability(0.005), toGood: Probability(0.3), lossInBad: Probability(0.9))
    expected.reorder = Probability(0.02)
    expected.reorderBy = .milliseconds(3)
    expected.duplicate = Probability(0.02)
    expected.corrupt = .always
    expected.mark = Probability(0.25)
    expected.markAbove = 20_000
    expected.stall = Stall(stands: .milliseconds(60), period: .milliseconds(90))
    #expect(settings == expected)
  }

  @Test func nothingSaidIsALinkThatDoesNothing() throws {
    #expect(try ImpairmentSettings(parsing: "") == ImpairmentSettings())
  }

  @Test(arguments: [
    "delay", "delay=", "delay=10", "delay=-1ms", "delay=2h", "delay=3601s", "delay=nans", "delay=1ms,delay=2ms",
    "rate=0", "rate=fast", "rate=infmbit", "rate=1e300gbit", "queue=-5", "loss=101%", "loss=1.5", "loss=nan", "loss=%",
    "bursts=1%", "bursts=1%/2%/3%/4%", "bursts=1%/", "stall=90ms/60ms", "stall=90ms/90ms", "stall=10ms",
    "mark-above=1000", "speed=1", "=1",
  ])
  func whatCanNotBeIsRefusedWithASentence(text: String) {
    #expect(throws: ImpairmentError.self) { _ = try ImpairmentSettings(parsing: text) }
  }
}
