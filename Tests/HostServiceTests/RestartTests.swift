// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import Testing
import Timekeeping

@Suite("When a NIC that died is started again")
struct RestartTests {
  private func time(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

  @Test func whoHasRunForAWhileIsStartedAgainAtOnceEachTime() {
    var plan = RestartPlan(rules: .init())
    var now: Int64 = 0
    for _ in 0..<100 {
      plan.wasStarted(now: time(now))
      now += 1000
      #expect(plan.died(now: time(now)) == .init(.resuming, after: .zero))
    }
    #expect(plan.deaths == 100)
  }

  @Test func oneDeathRightAfterAStartIsForgivenAndFurtherOnesTakeLongerEachTime() {
    var plan = RestartPlan(rules: .init())
    var decisions: [RestartPlan.Decision] = []
    for start in 0..<10 as Range<Int64> {
      plan.wasStarted(now: time(start * 20_000))
      decisions.append(plan.died(now: time(start * 20_000 + 999)))
    }
    let milliseconds: [Int64] = [0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]
    #expect(decisions.map(\.delay) == milliseconds.map { .milliseconds($0) })
    // Four with the session, then without.
    #expect(decisions.map(\.start) == Array(repeating: .resuming, count: 4) + Array(repeating: .clean, count: 6))
  }

  @Test func whoRunsAgainIsForgivenEverything() {
    var plan = RestartPlan(rules: .init())
    for start in 0..<7 as Range<Int64> {
      plan.wasStarted(now: time(start * 20_000))
      _ = plan.died(now: time(start * 20_000 + 1))
    }
    plan.wasStarted(now: time(200_000))
    #expect(plan.died(now: time(300_000)) == .init(.resuming, after: .zero))
    #expect(plan.quickDeaths == 0)
    plan.wasStarted(now: time(300_000))
    #expect(plan.died(now: time(300_001)) == .init(.resuming, after: .zero))
  }

  @Test func manyDeathsAndAnyRulesDoNotOverflow() {
    var rules = RestartPlan.Rules()
    rules.firstDelay = .seconds(86_400)
    rules.longestDelay = .seconds(86_400)
    var plan = RestartPlan(rules: rules)
    for _ in 0..<10_000 {
      plan.wasStarted(now: time(0))
      let delay = plan.died(now: time(0)).delay
      #expect(delay >= .zero && delay <= .seconds(86_400))
    }
  }
}
