// SPDX-License-Identifier: Apache-2.0

extension FirstSizeTuner {
  /// Tries a neighbour of the present size, if it is time for one.
  mutating func beginTrial() {
    let smaller = due(settled &- 1)
    let larger = due(settled &+ 1)
    let next: Int?
    if let smaller, let larger {
      // The one that has failed less often; of two alike the one that a tie would go to.
      let (low, high) = (candidates[smaller].interval, candidates[larger].interval)
      let takesLarger = low == high ? objective.preference >= 0 : high < low
      next = takesLarger ? larger : smaller
    } else {
      next = smaller ?? larger
    }
    guard let next else { return }
    trial = FirstSizeTrial(candidate: next)
    begin(skipping: 0)
  }

  private func due(_ index: Int) -> Int? {
    candidates.indices.contains(index) && candidates[index].wait == 0 ? index : nil
  }

  /// A block of the trial is whole.
  mutating func advance(_ figures: FirstSizeFigures) -> FirstSizeVerdict? {
    guard var trial else { return nil }
    candidates[trial.isOther ? trial.candidate : settled].figures = figures
    switch trial.arm {
    case .present:
      trial.arm = .other(present: figures)
    case .other(let present):
      trial.arm = .presentAgain(before: present, other: figures)
    case .presentAgain(let before, let other):
      let present = before.mean(figures)
      guard hasEffect(trial.candidate, other, present) else { return end(trial, .withoutEffect, present, other) }
      let won = isBetter(trial.candidate, other, before) && isBetter(trial.candidate, other, figures)
      if let isBetter = trial.count(won: won) { return end(trial, isBetter ? .adopted : .kept, present, other) }
      trial.arm = .other(present: figures)
    }
    self.trial = trial
    begin(skipping: trial.isOther ? 1 : nextPause())
    return nil
  }

  private func isBetter(_ index: Int, _ other: FirstSizeFigures, _ present: FirstSizeFigures) -> Bool {
    let gain =
      objective.score(present, multiple: settledMultiple)
      &- objective.score(other, multiple: candidates[index].multiple)
    return gain >= Self.leastGain
  }

  /// Whether packets became larger or smaller as they ought to, by an eighth of that at the least. If not (connections that go on with the
  /// size they began with, `sendfile`, a slow path), whatever else was seen is not for the size.
  private func hasEffect(_ index: Int, _ other: FirstSizeFigures, _ present: FirstSizeFigures) -> Bool {
    let ought = BinaryLogarithm.of(candidates[index].multiple) &- BinaryLogarithm.of(settledMultiple)
    let seen = other.size &- present.size
    return ought > 0 ? seen >= ought / 8 : seen <= ought / 8
  }

  private mutating func end(
    _ ended: FirstSizeTrial, _ outcome: FirstSizeVerdict.Outcome, _ present: FirstSizeFigures, _ other: FirstSizeFigures
  ) -> FirstSizeVerdict {
    let verdict = FirstSizeVerdict(
      outcome: outcome, present: settledMultiple, other: candidates[ended.candidate].multiple, presentFigures: present,
      otherFigures: other)
    trial = nil
    guard outcome == .adopted else {
      candidates[ended.candidate].putOff()
      begin(skipping: 0)
      return verdict
    }
    // It goes on in the same direction at once; what has just lost counts as tried.
    let beyond = ended.candidate &+ (ended.candidate > settled ? 1 : -1)
    candidates[settled].putOff()
    settled = ended.candidate
    if candidates.indices.contains(beyond) {
      candidates[beyond].interval = Self.shortestWait
      candidates[beyond].wait = 0
    }
    forgetLoad()
    begin(skipping: 1)
    return verdict
  }
}
