// SPDX-License-Identifier: Apache-2.0

/// Finds how many times as much as the uplink takes in one piece the guest's large sends ought to hold (the first size of multi-stage large
/// send offload), while they are sent. One for each NIC; no clock, no I/O: it is told of periods and says a multiple.
///
/// Each size has a score, by `FirstSizeObjective`; from time to time that of the present size is compared with that of the next smaller or
/// larger one (`FirstSizeTrial`), which is announced meanwhile by turns. One that is not found better by `leastGain` waits twice as long until
/// it is tried again. If the load changes eightfold all are tried soon.
///
/// Not found: a size that is better only two steps away. What the guest saves is not seen either, but in throughput.
public struct FirstSizeTuner: BitwiseCopyable, Sendable {
  /// Bytes in large sends without which a period says nothing: 134 Mbit/s of 250 ms.
  public static let leastTraffic = 4 << 20
  /// Periods with traffic until a size is tried again: 4 s and 64 s of 250 ms each.
  static let shortestWait = 16
  static let longestWait = 256
  /// So much better another size has to be: 5 %, in 65,536ths of a doubling.
  static let leastGain = 4613
  /// What a doubling is worth that makes no difference: 3 %. So 2 % are enough towards `FirstSizeObjective.preference`, and 8 % are needed
  /// the other way. (A guest whose own work is the limit sends 6 to 9 % more for a doubling.)
  static let tie = 2795
  /// A figure that is so far from what it was is another load: eightfold.
  static let otherLoad = 3 * BinaryLogarithm.doubling
  /// Periods with traffic until another load counts again, some four minutes: one that swings is not to be tried all the time. What is missed
  /// is `longestWait` at the most.
  static let otherLoadWait = 1024
  /// Periods that say nothing, one after the other, after which a trial is given up.
  static let mostIdle = 8
  /// Periods.
  static let longestPause = 21

  public let objective: FirstSizeObjective
  /// Largest multiple that may be announced, 1 to 8.
  public private(set) var most: Int
  var candidates: FirstSizeCandidates
  /// Index of the size that was found best.
  var settled: Int
  var trial: FirstSizeTrial?
  private var block = FirstSizeBlock()
  /// Periods that are still not to be counted.
  private var skipped = 0
  private var pauses: UInt32 = 0
  private var idle = 0
  /// What the load was when sizes were last tried soon.
  private var reference: FirstSizeFigures?
  /// What is left of `otherLoadWait`.
  private var untilOtherLoad = 0
  /// Nothing has been seen or said yet, so it begins with whatever limit comes.
  private var isFresh: Bool

  /// - Parameters:
  ///   - most: largest multiple that may be announced. Outside of 1 to 8 the nearest of these.
  ///   - present: what is announced already (another objective while the guest runs); nil: what the objective begins with. That is the most for
  ///     `cpu` and `throughput`, where larger is better but for caches; 1 for `latency`; between them for `mix`.
  public init(objective: FirstSizeObjective, most: Int, present: Int? = nil) {
    self.objective = objective
    self.most = min(max(most, 1), 8)
    candidates = FirstSizeCandidates(most: self.most)
    settled =
      switch objective {
      case .cpu, .throughput: candidates.count &- 1
      case .latency: 0
      // The smaller of two in the middle: who said nothing for either side would notice delay first.
      case .mix: (candidates.count &- 1) / 2
      }
    if let present { settled = candidates.index(atMost: present) }
    isFresh = present == nil
  }

  /// What is to be announced now, as a multiple of the second size: 1 to `most`.
  public var multiple: Int {
    if let trial, trial.isOther { return candidates[trial.candidate].multiple }
    return settledMultiple
  }

  /// The multiple that was found best so far.
  public var settledMultiple: Int { candidates[settled].multiple }

  public var state: FirstSizeState {
    if let trial { .trying(candidates[trial.candidate].multiple) } else { .settled }
  }

  /// What was last seen with a multiple; nil if it was not tried.
  public func figures(_ multiple: Int) -> FirstSizeFigures? {
    candidates.indices.first { candidates[$0].multiple == multiple }.flatMap { candidates[$0].figures }
  }

  /// Another size is the largest that may be announced, since the uplink takes more or less, or an administrator says so. Takes effect at
  /// once; no effect if it is the same.
  public mutating func limit(most: Int) {
    let most = min(max(most, 1), 8)
    guard most != self.most else { return }
    guard !isFresh else {
      self = Self(objective: objective, most: most)
      return
    }
    let present = settledMultiple
    giveUpTrial()
    self.most = most
    // Figures too: those of another second size are no figures of these.
    candidates = FirstSizeCandidates(most: most)
    settled = candidates.index(atMost: present)
    begin(skipping: 1)
    reference = nil
  }

  /// Gives up the trial that goes on, if any, and announces what was found best: the guest does not answer any more, or is another one.
  /// Periods that say nothing do so by themselves.
  public mutating func giveUpTrial() {
    guard let given = trial else { return }
    // Not put off: it has not been found worse.
    candidates[given.candidate].wait = candidates[given.candidate].interval
    trial = nil
    begin(skipping: 1)
  }

  /// What was seen in a period, during all of which `multiple` was announced and the guest went by it.
  /// - Returns: how a trial ended, if one did.
  @discardableResult
  public mutating func note(_ period: FirstSizeMeasurement) -> FirstSizeVerdict? {
    guard let figures = FirstSizeFigures(period) else {
      idle = min(idle &+ 1, Self.mostIdle)
      if idle == Self.mostIdle {
        giveUpTrial()
        block = FirstSizeBlock()
      }
      return nil
    }
    idle = 0
    isFresh = false
    guard skipped == 0 else {
      skipped &-= 1
      return nil
    }
    if trial == nil {
      candidates.passTime()
      untilOtherLoad = max(untilOtherLoad &- 1, 0)
      beginTrial()
    }
    guard let whole = block.add(figures) else { return nil }
    return trial == nil ? compareLoad(whole) : advance(whole)
  }

  /// Begins a block.
  mutating func begin(skipping periods: Int) {
    block = FirstSizeBlock()
    skipped = periods
  }

  /// How many periods are not counted on the way back to the present size: one, since connections take up a size with delay, up to
  /// `longestPause` in all. It is never the same twice, as a load that comes and goes must not keep in step with the rounds of a trial:
  /// a fixed sequence that is spread evenly (multiples of the golden ratio).
  mutating func nextPause() -> Int {
    pauses &+= 0x9e37_79b9
    return 1 &+ Int((UInt64(pauses) &* UInt64(Self.longestPause)) >> 32)
  }

  /// Another size has been settled on: what the load looks like has to be seen first.
  mutating func forgetLoad() {
    reference = nil
  }

  private mutating func compareLoad(_ figures: FirstSizeFigures) -> FirstSizeVerdict? {
    candidates[settled].figures = figures
    guard let reference else {
      self.reference = figures
      return nil
    }
    if untilOtherLoad == 0, figures.distance(reference) >= Self.otherLoad {
      self.reference = figures
      untilOtherLoad = Self.otherLoadWait
      candidates.tryAllSoon()
    }
    return nil
  }
}
