// SPDX-License-Identifier: Apache-2.0

import FrameSupport

/// One way of one leg: it decides when a frame arrives, if at all, how often, and how.
struct SimulatedLeg {
  let parameters: LegParameters
  var random: SplitMix64
  /// Frames on their way.
  var inFlight = 0
  /// What waits for its rate; other connections may wait there as well.
  var queue = LegQueue()
  private var burstLeft = 0

  init(_ parameters: LegParameters, seed: UInt64) {
    self.parameters = parameters
    random = SplitMix64(seed: seed)
  }

  var hasRoom: Bool { inFlight < parameters.capacity }

  private mutating func chance(_ of1024: Int) -> Bool {
    of1024 > 0 && Int(random.next() & 1023) < of1024
  }

  /// When a frame of so many bytes that enters now arrives; twice if it is doubled, not at all if it is lost.
  mutating func fate(_ length: Int, now: Int64) -> FrameFate {
    let begin = max(now, queue.freeAt)
    let isFull = parameters.queueBytes > 0 && begin - now > Int64(parameters.queueBytes) * parameters.byteTime
    if isFull { return FrameFate() }
    let isLong = parameters.markBytes > 0 && begin - now > Int64(parameters.markBytes) * parameters.byteTime
    queue.freeAt = begin + Int64(length) * parameters.byteTime
    if burstLeft > 0 {
      burstLeft -= 1
      return FrameFate()
    }
    if chance(parameters.burst) { burstLeft = parameters.burstLength }
    if chance(parameters.loss) { return FrameFate() }
    let first = arrival(queue.freeAt)
    let second: Int64? = chance(parameters.duplication) ? arrival(queue.freeAt) : nil
    let isCorrupt = chance(parameters.corruption)
    return FrameFate(first: first, second: second, isCorrupt: isCorrupt, isMarked: chance(parameters.marking) || isLong)
  }

  private mutating func arrival(_ time: Int64) -> Int64 {
    let jitter = parameters.jitter > 0 ? Int64(random.next() % UInt64(parameters.jitter)) : 0
    return running(time + parameters.delay + jitter)
  }

  /// The first time from `time` on at which the leg does not stand still.
  func running(_ time: Int64) -> Int64 {
    let period = parameters.stallOff + parameters.stallOn
    guard parameters.stallOff > 0, period > 0 else { return time }
    let phase = time % period
    return phase < parameters.stallOff ? time - phase + parameters.stallOff : time
  }
}
