// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import FrameSupport
import TCPPolicy
import Timekeeping
import VTCP

extension Schedule {
  /// How many times there has been more to draw. What is new is drawn last, so that a seed that was kept stays what it was.
  public static let generations = 21

  /// Generation 2: how losses are repaired, and what there is to be learnt of them.
  private mutating func drawRecovery(_ random: inout SplitMix64) {
    func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
    module.flow.congestionAlgorithm = pick([.cubic, .newReno, .none])
    module.flow.isPaced = pick([true, false])
    module.flow.receiveRecovery = pick([.simple, .full])
    module.flow.initialCongestionWindow = pick([0, 0, 1, 100])
    module.flow.slowStartThreshold = pick([.max, .max, 3_000])
    module.flow.keepFactor = pick([0, 0, 768])
    module.flow.additiveIncrease = pick([1024, 4096])
    module.flow.maximumTimeout = pick([.seconds(60), .seconds(2)])
    module.transmissionLimit = pick([2, 20, 4096])
    guest.hasECN = pick([true, true, false])
    network.hasECN = pick([true, true, false])
    guest.hasDSACK = pick([true, false])
    network.hasDSACK = pick([true, false])
    for way in legs.indices { legs[way].marking = pick([0, 0, 20, 200]) }
  }

  /// Generation 3: whether what comes out of order is kept, and believed to be.
  private mutating func drawStore(_ random: inout SplitMix64) {
    func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
    module.flow.outOfOrderStoreSize = pick([0, 0, 3_000, 65_536])
    guest.trustsSACK = pick([true, false])
    network.trustsSACK = pick([true, false])
  }

  /// Generation 7: ends that ask for segments smaller than anybody else cuts (`FlowSide.leastSegment`).
  private mutating func drawLeastSegments(_ random: inout SplitMix64) {
    func drawSize(_ end: inout EndParameters, _ other: inout EndParameters) {
      let sizes = [0, 0, 0, 0, 0, 1, 20, 47]
      let size = sizes[Int(random.next() % UInt64(sizes.count))]
      guard size > 0 else { return }
      end.maximumSegmentSize = size
      other.streamLength = min(other.streamLength, 100 * size)
    }
    drawSize(&guest, &network)
    drawSize(&network, &guest)
  }

  /// Generation 8: policies that change.
  private mutating func drawPolicies(_ random: inout SplitMix64) {
    func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
    policyOdds = pick([0, 0, 0, 20, 200, 2_000])
    policies = (0..<3).map { _ in
      var flow = module.flow
      flow.mode = pick([.early, .early, .snoop, .off])
      flow.transmitBufferSize = pick([1_000, 10_000, 100_000])
      flow.receiveBufferSize = pick([1_000, 10_000, 100_000])
      flow.transmitWindow = pick([.buffer, .receiver])
      flow.receiveWindow = pick([.buffer, .receiver])
      flow.congestionAlgorithm = pick([.cubic, .newReno, .none])
      flow.receiveRecovery = pick([.simple, .full])
      flow.isPaced = pick([true, false])
      flow.outOfOrderStoreSize = pick([0, 3_000, 65_536])
      flow.tailSize = pick([0, 0, 100, 5_000])
      flow.bufferWeight = pick([0, 1, 5])
      flow.servingWeight = pick([1, 5])
      return flow
    }
  }

  /// Generation 9: acceleration where it pays only, which changes with the path and the guest; promises that a shut window ends, or does not.
  private mutating func drawWorth(_ random: inout SplitMix64) {
    func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
    func draw() -> Interval { pick([.zero, .microseconds(100), .milliseconds(2), .milliseconds(20), .seconds(60)]) }
    module.flow.leastRoundTrip = draw()
    module.flow.shutWindow = pick([.keepPromise, .stop])
    for place in policies.indices {
      policies[place].leastRoundTrip = draw()
      policies[place].shutWindow = pick([.keepPromise, .stop])
    }
  }

  /// Generation 10: urgent data, which pass between what is held.
  private mutating func drawUrgentData(_ random: inout SplitMix64) {
    func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
    guest.urgentEvery = pick([0, 0, 50, 1_500, 20_000])
    network.urgentEvery = pick([0, 0, 50, 1_500, 20_000])
    // Nothing of theirs is begun anew (`beginAnew`): a receiver that takes an octet at a time would need hours for it.
    if min(guest.bufferSize, network.bufferSize) < 2_000 { (guest.urgentEvery, network.urgentEvery) = (0, 0) }
  }

  /// What generation 12 draws from; further algorithms have generations of their own.
  private static let firstAlgorithms: [CongestionAlgorithm] = [
    .none, .newReno, .cubic, .bic, .highSpeed, .scalable, .westwood, .vegas, .illinois, .hTCP,
  ]

  /// Generation 13: BBR, in half of the schedules and in what they change to.
  private mutating func drawRateBased(_ random: inout SplitMix64) {
    func isDrawn() -> Bool { random.next() % 2 == 0 }
    if isDrawn() { module.flow.congestionAlgorithm = .bbr }
    for place in policies.indices where isDrawn() { policies[place].congestionAlgorithm = .bbr }
  }

  /// Generation 14: a life in phases. Of a stream of numbers of its own: what other generations draw is not touched by it.
  private mutating func drawPhases() {
    var random = SplitMix64(seed: seed ^ 0x7068_6173_6573)
    func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
    for place in 0..<pick([0, 0, 1, 1, 2, 4]) {
      let octets: [UInt32] = [1, 100, 1_000, 5_000, 20_000, 60_000]
      let times: [Interval] = [.microseconds(10), .milliseconds(3), .milliseconds(40), .milliseconds(300), .seconds(5)]
      let end: PhaseEnd =
        switch pick([0, 1, 1, 2]) {
        case 0 where place == 0: .established
        case 2: .time(pick(times))
        default: .octets(pick(octets))
        }
      var flow = module.flow
      flow.mode = pick([.early, .early, .snoop, .off])
      flow.transmitBufferSize = pick([1_000, 10_000, 100_000])
      flow.receiveBufferSize = pick([1_000, 10_000, 100_000])
      flow.transmitWindow = pick([.buffer, .receiver])
      flow.receiveWindow = pick([.buffer, .receiver])
      flow.congestionAlgorithm = pick(Self.firstAlgorithms + [.bbr])
      flow.receiveRecovery = pick([.simple, .full])
      flow.isPaced = pick([true, false])
      flow.outOfOrderStoreSize = pick([0, 3_000, 65_536])
      flow.tailSize = pick([0, 0, 100, 5_000])
      flow.leastRoundTrip = pick([.zero, .zero, .milliseconds(2), .seconds(60)])
      flow.shutWindow = pick([.keepPromise, .stop])
      flow.bufferWeight = pick([0, 1, 1, 5])
      let isSound = phaseEnds.allSatisfy { isLater(end, than: $0) }
      guard isSound else { continue }
      phaseEnds.append(end)
      phaseFlows.append(flow)
    }
  }

  /// Generation 15: DCTCP, with ends and queues that mark as it wants, or do not.
  private mutating func drawMarks() {
    var random = SplitMix64(seed: seed ^ 0x6463_7463_70)
    func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
    if pick([true, false]) { module.flow.congestionAlgorithm = .dctcp }
    for place in policies.indices where pick([true, false]) { policies[place].congestionAlgorithm = .dctcp }
    for place in phaseFlows.indices where pick([true, false]) { phaseFlows[place].congestionAlgorithm = .dctcp }
    guest.echoesEachMark = pick([true, false])
    network.echoesEachMark = pick([true, false])
    for way in legs.indices { legs[way].markBytes = pick([0, 0, 1_000, 5_000]) }
  }

  /// Generation 16: ECN in the place of guests that mostly have none.
  private mutating func drawOffers() {
    var random = SplitMix64(seed: seed ^ 0x6f66_6665_7273)
    func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
    module.flow.overrides.ecn = pick([.offer, .offer, .keep])
    for place in policies.indices { policies[place].overrides.ecn = pick([.offer, .keep]) }
    for place in phaseFlows.indices { phaseFlows[place].overrides.ecn = pick([.offer, .keep]) }
    guest.hasECN = pick([false, false, false, true])
    network.hasECN = pick([true, true, true, false])
    module.flow.mode = pick([module.flow.mode, .early, .snoop])
    // Where a mark takes effect, and is not lost among losses.
    if pick([true, false]) { legs[2].markBytes = pick([1_000, 5_000]) }
  }

  /// Generation 17: the rate of the VM, which comes, changes and goes with policy.
  private mutating func drawShapings() {
    var random = SplitMix64(seed: seed ^ 0x7368_6170_65)
    func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
    guard pick([true, false]) else { return }
    let rates = [0, 64_000, 500_000, 3_000_000, 20_000_000, 1_000_000_000, Shaping.allowed.upperBound]
    for _ in 0..<pick([1, 1, 3]) {
      shapings.append(Shaping(transmitRate: pick(rates), receiveRate: pick(rates)))
    }
  }

  /// Generation 18: BBR, version 3.
  private mutating func drawLaterBBR() {
    var random = SplitMix64(seed: seed ^ 0x6262_7233)
    func isDrawn() -> Bool { random.next() % 2 == 0 }
    if isDrawn() { module.flow.congestionAlgorithm = .bbr3 }
    for place in policies.indices where isDrawn() { policies[place].congestionAlgorithm = .bbr3 }
    for place in phaseFlows.indices where isDrawn() { phaseFlows[place].congestionAlgorithm = .bbr3 }
  }

  /// Generation 19: mode `limit`, for all of a connection's life or for a part.
  private mutating func drawLimits() {
    var random = SplitMix64(seed: seed ^ 0x6c69_6d69_74)
    func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
    let isAlways = pick([true, false, false])
    func isDrawn() -> Bool { isAlways || pick([true, false]) }
    if isDrawn() { module.flow.mode = .limit }
    for place in policies.indices where isDrawn() { policies[place].mode = .limit }
    for place in phaseFlows.indices where isDrawn() { phaseFlows[place].mode = .limit }
  }

  /// Octets and times rise, each among themselves.
  private func isLater(_ end: PhaseEnd, than before: PhaseEnd) -> Bool {
    switch (before, end) {
    case (.octets(let one), .octets(let other)): other > one
    case (.time(let one), .time(let other)): other > one
    default: true
    }
  }

  /// Any schedule: ends of all kinds, legs of all kinds, and a module of any configuration.
  public static func random(seed: UInt64, generation: Int = generations) -> Schedule {
    var random = SplitMix64(seed: seed)
    var schedule = Schedule(seed: seed)
    func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
    func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }

    func end() -> EndParameters {
      var end = EndParameters()
      end.streamLength = pick([0, 1, 100, 1_000, 5_000, 20_000, 40_000 + below(60_000)])
      end.bufferSize = pick([1, 500, 2_000, 8_000, 30_000, 65_535, 200_000])
      end.maximumSegmentSize = pick([64, 100, 536, 1_000])
      end.windowScale = pick([nil, 0, 1, 3, 7, 14])
      // A buffer of less than a unit of its window would never open.
      while let scale = end.windowScale, scale > 0, end.bufferSize >> Int(scale) < 2 { end.windowScale = scale - 1 }
      end.hasTimestamps = below(3) > 0
      end.hasSACK = below(3) > 0
      end.initialSequence = pick([
        0, UInt32.max, UInt32.max - 5_000, UInt32(1) << 31 - 2_000, UInt32(truncatingIfNeeded: below(1 << 32)),
      ])
      end.timestampBase = pick([1, UInt32.max - 50, UInt32(truncatingIfNeeded: below(1 << 32))])
      end.writeSize = pick([1, 200, 3_000, 1_000_000])
      if end.writeSize < 3_000 { end.streamLength = min(end.streamLength, 3_000) }
      end.writePause = pick([0, 0, 1_000_000, 50_000_000])
      if end.writeSize < 200 {
        end.writePause = min(end.writePause, 1_000_000); end.streamLength = min(end.streamLength, 400)
      }
      end.readSize = pick([100, 5_000, 1_000_000])
      end.readPause = pick([0, 0, 2_000_000, 30_000_000])
      end.delaysAcknowledgments = below(2) == 0
      end.probesWithData = below(2) == 0
      end.minimumTimeout = pick([5_000_000, 50_000_000, 200_000_000])
      if below(12) == 0 { end.resetsAt = Int64(below(400)) * 1_000_000 }
      return end
    }
    schedule.guest = end()
    schedule.network = end()
    // Tiny windows make long runs.
    for keyPath in [\Schedule.guest, \Schedule.network] {
      let other = keyPath == \Schedule.guest ? \Schedule.network : \Schedule.guest
      if schedule[keyPath: keyPath].bufferSize < 1_000 || schedule[keyPath: keyPath].readSize < 1_000 {
        schedule[keyPath: other].streamLength = min(schedule[keyPath: other].streamLength, 2_000)
      }
    }
    schedule.guest.isIPv6 = below(3) == 0
    schedule.network.isIPv6 = schedule.guest.isIPv6
    schedule.guest.hasPartialChecksums = below(2) == 0
    if schedule.guest.hasPartialChecksums { schedule.guest.largeSegments = pick([1, 1, 3]) }
    schedule.guestOpens = below(2) == 0

    let quality = below(4)
    for way in 0..<4 {
      var leg = LegParameters()
      leg.delay = pick([1_000, 50_000, 1_000_000, 10_000_000])
      if way >= 2 {
        leg.jitter = quality > 1 ? pick([0, 0, 500_000, 5_000_000]) : 0
        leg.loss = quality > 0 ? pick([0, 10, 50, 150]) : 0
        leg.burst = quality > 2 ? pick([0, 10]) : 0
        leg.burstLength = 5
        leg.duplication = quality > 1 ? pick([0, 20, 100]) : 0
        leg.corruption = quality > 2 ? pick([0, 20, 100]) : 0
        leg.byteTime = pick([0, 0, 80, 800])
      } else if way == 1 {
        leg.delay = pick([1_000, 20_000])
        // A ring that overflows.
        leg.loss = quality > 2 ? pick([0, 0, 30]) : 0
      } else {
        leg.delay = pick([1_000, 20_000])
      }
      leg.capacity = way == 1 || way == 2 ? pick([1, 4, 16, 1_000]) : 256
      schedule.legs[way] = leg
    }
    if below(3) == 0 {
      let off: Int64 = pick([5_000_000, 60_000_000])
      for way in 0..<2 {
        schedule.legs[way].stallOff = off
        schedule.legs[way].stallOn = pick([5_000_000, 30_000_000])
      }
      schedule.legs[1].stallOn = schedule.legs[0].stallOn
    }

    schedule.module.flow.mode = pick([.early, .early, .early, .snoop, .off])
    schedule.module.flow.transmitBufferSize = pick([1_000, 10_000, 100_000, 1_000_000])
    schedule.module.flow.receiveBufferSize = pick([1_000, 10_000, 100_000, 1_000_000])
    schedule.module.flow.transmitWindow = pick([.buffer, .receiver])
    schedule.module.flow.receiveWindow = pick([.buffer, .receiver])
    schedule.module.flow.duplicateAcknowledgmentThreshold = UInt8(1 + below(3))
    schedule.module.flow.minimumTimeout = pick([.milliseconds(5), .milliseconds(200)])
    schedule.module.flow.acknowledgmentDelay = pick([.zero, .milliseconds(2), .milliseconds(100)])
    schedule.module.chunkLimit = pick([1, 4, 256])
    schedule.module.sendingLimit = pick([1, 2, 32])
    schedule.module.seed = random.next()
    if generation >= 2 { schedule.drawRecovery(&random) }
    if generation >= 3 { schedule.drawStore(&random) }
    if generation >= 4 {
      schedule.legs[2].largestPacket = pick([0, 0, 600, 900])
      // An octet at a time, over a bad link, with timeouts that double: it would be hours.
      if schedule.guest.bufferSize == 1 { schedule.network.streamLength = min(schedule.network.streamLength, 400) }
      if schedule.network.bufferSize == 1 { schedule.guest.streamLength = min(schedule.guest.streamLength, 400) }
    }
    if generation >= 5 {
      schedule.takeOverOdds = pick([0, 0, 0, 20, 200, 2_000])
      // An octet at a time they would take for ever: each new process measures the path anew.
      if min(schedule.guest.bufferSize, schedule.network.bufferSize) < 2_000 { schedule.takeOverOdds = 0 }
    }
    if generation >= 6 { schedule.module.flow.tailSize = pick([0, 0, 100, 5_000]) }
    if generation >= 7 { schedule.drawLeastSegments(&random) }
    if generation >= 8 { schedule.drawPolicies(&random) }
    if generation >= 9 { schedule.drawWorth(&random) }
    if generation >= 10 { schedule.drawUrgentData(&random) }
    if generation >= 11 {
      schedule.guest.closesLater = pick([true, false])
      schedule.network.closesLater = pick([true, false])
    }
    if generation >= 12 {
      schedule.module.flow.congestionAlgorithm = pick(firstAlgorithms)
      schedule.module.flow.usesHyStart = pick([true, false])
      for place in schedule.policies.indices {
        schedule.policies[place].congestionAlgorithm = pick(firstAlgorithms)
      }
    }
    if generation >= 13 { schedule.drawRateBased(&random) }
    if generation >= 14 { schedule.drawPhases() }
    if generation >= 15 { schedule.drawMarks() }
    if generation >= 16 { schedule.drawOffers() }
    if generation >= 17 { schedule.drawShapings() }
    if generation >= 18 { schedule.drawLaterBBR() }
    if generation >= 19 { schedule.drawLimits() }
    if generation >= 20 { schedule.drawOverrides() }
    if generation >= 21 { schedule.drawAdditions() }
    return schedule
  }
}
