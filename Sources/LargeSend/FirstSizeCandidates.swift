// SPDX-License-Identifier: Apache-2.0

/// The sizes that may be announced: powers of two and the most, up to 8. What lies between gains less than can be measured.
struct FirstSizeCandidates: BitwiseCopyable {
  struct Candidate: BitwiseCopyable {
    var multiple = 1
    /// As they were last seen.
    var figures: FirstSizeFigures?
    /// After how many periods with traffic it is tried again when it was not found better.
    var interval = FirstSizeTuner.shortestWait
    /// What is left of these.
    var wait = FirstSizeTuner.shortestWait

    mutating func putOff() {
      interval = min(interval &* 2, FirstSizeTuner.longestWait)
      wait = interval
    }
  }

  /// 1, 2, 4, 8 or 1, 2, 4, 7.
  static let limit = 4

  let count: Int
  private var all = InlineArray<4, Candidate>(repeating: Candidate())

  /// - Parameter most: 1 to 8.
  init(most: Int) {
    var count = 0
    for multiple in 1...8 where multiple == most || multiple < most && multiple.nonzeroBitCount == 1 {
      all[count].multiple = multiple
      count &+= 1
    }
    self.count = count
  }

  var indices: Range<Int> { 0..<count }

  subscript(index: Int) -> Candidate {
    get { all[index] }
    set { all[index] = newValue }
  }

  /// The largest that is not more than `multiple`, or the least.
  func index(atMost multiple: Int) -> Int {
    indices.last { all[$0].multiple <= multiple } ?? 0
  }

  /// A period with traffic has gone by.
  mutating func passTime() {
    for index in indices { all[index].wait = max(all[index].wait &- 1, 0) }
  }

  mutating func tryAllSoon() {
    for index in indices {
      all[index].interval = FirstSizeTuner.shortestWait
      all[index].wait = FirstSizeTuner.shortestWait
    }
  }
}
