// SPDX-License-Identifier: Apache-2.0

/// The largest of the numbers of late, by rounds: BBR.BtlBwFilter.
///
/// Not all of them are kept but the largest, the largest after it and the largest after that, which are there to take its place when it is too
/// old (Kathleen Nichols' algorithm). So the answer may be less than the true maximum by what came between, never more, and never too old.
struct WindowedMaximum: BitwiseCopyable {
  private var first: Float = 0
  private var second: Float = 0
  private var third: Float = 0
  /// Rounds, modulo 2^16.
  private var firstRound: UInt16 = 0
  private var secondRound: UInt16 = 0
  private var thirdRound: UInt16 = 0

  /// 0: there was none yet.
  var value: Float { first }

  /// - Parameters:
  ///   - round: now; rounds never go back.
  ///   - length: rounds for which a number counts; always the same.
  mutating func add(_ number: Float, round: UInt16, length: UInt16) {
    guard number < first, round &- thirdRound <= length else {
      (first, second, third) = (number, number, number)
      (firstRound, secondRound, thirdRound) = (round, round, round)
      return
    }
    if number >= second {
      (second, third) = (number, number)
      (secondRound, thirdRound) = (round, round)
    } else if number >= third {
      (third, thirdRound) = (number, round)
    }
    while round &- firstRound > length {
      (first, firstRound) = (second, secondRound)
      (second, secondRound) = (third, thirdRound)
      (third, thirdRound) = (number, round)
    }
    // Those in waiting are to be from later parts of the window, or all would go at once.
    let age = round &- firstRound
    if secondRound == firstRound, age > length / 4 {
      (second, third) = (number, number)
      (secondRound, thirdRound) = (round, round)
    } else if thirdRound == secondRound, age > length / 2 {
      (third, thirdRound) = (number, round)
    }
  }
}
