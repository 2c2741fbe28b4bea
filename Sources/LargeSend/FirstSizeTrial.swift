// SPDX-License-Identifier: Apache-2.0

/// A comparison of the present size with another one: present, other, present, other, present ...
///
/// A round is a block of the other between two of the present, and goes to the other only if it beats both. So neither a load that gets
/// lighter nor one that gets heavier passes for a gain. The trial is over when the other has won `winningLead` rounds more than it lost,
/// has lost one more than it won, or after `mostRounds`. Where all sizes are alike a round is won less often than one time in three, however
/// large the noise is and whatever it looks like: one in 31 trials is won so, and one in some hundreds if the noise is that of a quiet machine.
/// A gain of 10 % in noise of 10 % wins nearly every second trial.
struct FirstSizeTrial: BitwiseCopyable {
  enum Arm: BitwiseCopyable {
    case present
    case other(present: FirstSizeFigures)
    case presentAgain(before: FirstSizeFigures, other: FirstSizeFigures)
  }

  static let winningLead = 4
  static let mostRounds = 16

  /// Index of the other one.
  let candidate: Int
  var arm = Arm.present
  private(set) var rounds = 0
  private var lead = 0

  init(candidate: Int) {
    self.candidate = candidate
  }

  var isOther: Bool {
    if case .other = arm { true } else { false }
  }

  /// Counts a round.
  /// - Returns: nil while the trial goes on, else whether the other one has won it.
  mutating func count(won: Bool) -> Bool? {
    rounds &+= 1
    lead &+= won ? 1 : -1
    if lead >= Self.winningLead { return true }
    return lead < 0 || rounds >= Self.mostRounds ? false : nil
  }
}
