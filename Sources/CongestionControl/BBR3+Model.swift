// SPDX-License-Identifier: Apache-2.0

internal import Timekeeping

/// What acknowledgments show of the path: draft-ietf-ccwg-bbr-06, section 5.5.
extension BBR3 {
  /// BBR.max_bw, octets a second; 0: not known.
  var largestRate: Float { max(cycleRate, previousCycleRate) }

  /// BBR.bw.
  var rate: Float { min(largestRate, shortTermRate) }

  /// RS.delivery_rate; 0: the sample does not tell.
  static func rate(_ sample: RateSample) -> Float {
    guard tells(sample) else { return 0 }
    return Float(min(sample.delivered, 1 << 40)) / Float(sample.interval.nanoseconds) * 1e9
  }

  /// Whether the sample has a rate.
  static func tells(_ sample: RateSample) -> Bool { sample.interval.nanoseconds > 0 && sample.delivered >= 0 }

  /// BBRInflight with a gain of 1 and no allowance for what is made ready at the ends: BBR.bdp. Nothing is known: the initial window.
  func pipe(_ path: BBRPath, rate: Float, gain: Float = 1) -> Int {
    guard roundTrip != .max, rate > 0 else { return path.initialWindow }
    return Self.octets(rate * (Float(roundTrip) / 1e6) * gain)
  }

  static func octets(_ number: Float) -> Int { number < 0x1p30 ? Int(max(number, 0)) : 1 << 30 }

  /// A number of octets as it may be calculated with.
  static func bounded(_ octets: Int) -> Int { max(min(octets, 1 << 30), 0) }

  /// StartRound.
  mutating func beginRound() { roundEnd = total }

  /// UpdateLatestDeliverySignals.
  mutating func noteDelivery(_ sample: RateSample, _ rate: Float) {
    flags.remove(.beginsLossRound)
    guard Self.tells(sample) else { return }
    latestRate = max(latestRate, rate)
    latestInFlight = max(latestInFlight, UInt32(truncatingIfNeeded: Self.bounded(sample.delivered)))
    guard Int32(bitPattern: sample.priorTotal &- lossRoundEnd) >= 0 else { return }
    lossRoundEnd = total
    flags.insert(.beginsLossRound)
  }

  /// UpdateRound and UpdateMaxBw.
  mutating func noteRate(_ sample: RateSample, _ rate: Float) {
    flags.remove(.beginsRound)
    guard Self.tells(sample) else { return }
    if Int32(bitPattern: sample.priorTotal &- roundEnd) >= 0 {
      beginRound()
      round &+= 1
      if roundsSinceProbe < .max { roundsSinceProbe += 1 }
      flags.insert(.beginsRound)
      flags.remove(.wasFull)
      if flags.remove(.isFull) != nil { flags.insert(.wasFull) }
    }
    if rate > 0, rate >= largestRate || !sample.isApplicationLimited { cycleRate = max(cycleRate, rate) }
  }

  /// AdvanceMaxBwFilter. A cycle without a rate does not make the one before forgotten.
  mutating func beginRateCycle() {
    guard cycleRate > 0 else { return }
    previousCycleRate = cycleRate
    cycleRate = 0
  }

  /// C.is_cwnd_limited: before the acknowledgment no more had room.
  mutating func noteFullWindow(_ sample: RateSample, _ path: BBRPath) {
    if Self.bounded(sample.priorInFlight) + path.segmentSize > path.window { flags.insert(.isFull) }
  }

  var isWindowLimited: Bool { !flags.isDisjoint(with: [.isFull, .wasFull]) }

  /// UpdateACKAggregation: by how much acknowledgments come ahead of the rate, in lumps.
  mutating func noteExtra(_ sample: RateSample, _ path: BBRPath, now: Instant) {
    let took = max((now - extraBegan).nanoseconds, 0)
    var expected = Self.octets(rate * (Float(took) / 1e9))
    if Int(extraDelivered) <= expected {
      extraDelivered = 0
      extraBegan = now
      expected = 0
    }
    let delivered = Self.bounded(Int(extraDelivered) + Self.bounded(sample.newlyDelivered))
    extraDelivered = UInt32(truncatingIfNeeded: delivered)
    let length = flags.contains(.fullRateReached) ? Self.extraRounds : 1
    extra.add(Float(min(max(delivered - expected, 0), path.window)), round: round, length: length)
  }

  /// ResetFullBW, with what the rate is compared with from then on.
  mutating func seekFullRate(from rate: Float = 0) {
    fullRate = rate
    fullCount = 0
    flags.remove(.fullRateNow)
  }

  /// CheckFullBWReached.
  mutating func noteFullRate(_ sample: RateSample, _ rate: Float) {
    guard flags.contains(.beginsRound), !flags.contains(.fullRateNow), !sample.isApplicationLimited else { return }
    guard rate < fullRate * Self.fullGrowth else { return seekFullRate(from: rate) }
    fullCount = min(fullCount + 1, Self.fullRounds)
    if fullCount == Self.fullRounds { flags.formUnion([.fullRateNow, .fullRateReached]) }
  }
}
