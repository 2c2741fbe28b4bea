// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import Testing

/// What section 5 of RFC 9937 shows in figures, in segments.
@Suite("Proportional rate reduction: RFC 9937")
struct ProportionalRateReductionTests {
  private let segment = 1000

  /// One acknowledgment in segments; all that is allowed is sent, in whole segments.
  private func step(
    _ reduction: inout ProportionalRateReduction, delivered: Int, inFlight: Int, threshold: Int, safe: Bool
  )
    -> Int
  {
    let allowance = reduction.acknowledged(
      delivered: delivered * segment, inFlight: inFlight * segment, threshold: threshold * segment,
      segmentSize: segment,
      isSafe: safe)
    let segments = allowance / segment
    reduction.sent(bytes: segments * segment)
    return segments
  }

  @Test("One loss of 20, CUBIC-like 14 of 20 remain: sends are spread evenly, and 14 are in flight at the end")
  func oneLoss() {
    var reduction = ProportionalRateReduction()
    // Segment 0 is lost: 19 acknowledgments bring one SACKed segment each; at the third, the loss is found: RFC 9937 counts
    // from there, and what was SACKed before is not in RecoverFS.
    reduction.begin(inFlight: 18 * segment)
    var inFlight = 17  // 20, less 1 lost, less 2 delivered before
    var sent = 0
    var gap = 0
    var longestGap = 0
    for _ in 0..<17 {
      inFlight -= 1
      let now = step(&reduction, delivered: 1, inFlight: inFlight, threshold: 14, safe: false)
      #expect(now <= 1)
      gap = now == 0 ? gap + 1 : 0
      longestGap = max(longestGap, gap)
      inFlight += now
      sent += now
    }
    #expect(longestGap <= 2)
    #expect((13...14).contains(inFlight))
    #expect((13...14).contains(sent))
  }

  @Test(
    "A burst of losses takes what is in flight below the threshold: no more is sent than was delivered, until it is safe"
  )
  func burst() {
    var unsafe = ProportionalRateReduction()
    unsafe.begin(inFlight: 20 * segment)
    var safe = unsafe
    // 16 of 20 lost; 4 are delivered one by one. Threshold 10.
    var inFlight = (bound: 3, slow: 3)
    for _ in 0..<4 {
      let one = step(&unsafe, delivered: 1, inFlight: inFlight.bound, threshold: 10, safe: false)
      #expect(one == 1)
      inFlight.bound += one - 1
      let two = step(&safe, delivered: 1, inFlight: inFlight.slow, threshold: 10, safe: true)
      #expect(two == 2)
      inFlight.slow += two - 1
    }
  }

  @Test("The first retransmission is not held back, even if nothing else may be sent")
  func first() {
    var reduction = ProportionalRateReduction()
    reduction.begin(inFlight: 100 * segment)
    #expect(step(&reduction, delivered: 0, inFlight: 90, threshold: 1, safe: false) == 1)
    #expect(step(&reduction, delivered: 0, inFlight: 90, threshold: 1, safe: false) == 0)
  }

  @Test("Never more in flight than the threshold by way of catching up")
  func bounded() {
    var reduction = ProportionalRateReduction()
    reduction.begin(inFlight: 10 * segment)
    #expect(step(&reduction, delivered: 10, inFlight: 4, threshold: 5, safe: true) == 1)
  }

  @Test("Numbers that can't be do no harm", arguments: [Int.min / 4, -1, 0, 1 << 32, Int.max / 4])
  func hostile(number: Int) {
    var reduction = ProportionalRateReduction()
    reduction.begin(inFlight: number)
    for _ in 0..<3 {
      let allowance = reduction.acknowledged(
        delivered: number, inFlight: number, threshold: 1 << 30, segmentSize: segment, isSafe: true)
      #expect(allowance >= 0 && allowance <= 1 << 62)
      reduction.sent(bytes: number)
    }
  }
}
