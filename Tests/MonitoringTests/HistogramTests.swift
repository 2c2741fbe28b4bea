// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Testing
import Timekeeping

@testable import Monitoring

@Suite struct HistogramTests {
  @Test("The buckets follow each other without a gap, and none is wider than an eighth of where it begins")
  func buckets() {
    #expect(HistogramBuckets.begin(of: 0) == 0)
    #expect(HistogramBuckets.begin(of: HistogramBuckets.count) == 1 << 32)
    for place in 0..<HistogramBuckets.count {
      let begin = HistogramBuckets.begin(of: place)
      let next = HistogramBuckets.begin(of: place + 1)
      #expect(HistogramBuckets.place(of: begin) == place)
      #expect(HistogramBuckets.place(of: next - 1) == place)
      #expect(next - begin == 1 || (next - begin) * 8 <= begin)
    }
  }

  @Test("Numbers that are too small or too large count in the first and the last bucket")
  func extremes() {
    #expect(HistogramBuckets.place(of: -1) == 0)
    #expect(HistogramBuckets.place(of: .min) == 0)
    #expect(HistogramBuckets.place(of: 1 << 32) == HistogramBuckets.count - 1)
    #expect(HistogramBuckets.place(of: .max) == HistogramBuckets.count - 1)
  }

  @Test("A percentile is what a sorted list says, within an eighth", arguments: 1...20)
  func percentiles(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let rig = MonitorRig()
    let width = Int.random(in: 1...31, using: &random)
    let values = (0..<Int.random(in: 1...3000, using: &random)).map { _ in
      Int.random(in: 0...(1 << width), using: &random)
    }
    for value in values { rig.writer.record(.networkRoundTrip, value) }
    let histogram = try rig.snapshot()[.networkRoundTrip]
    #expect(histogram.count == UInt64(values.count))
    #expect(histogram.sum == UInt64(values.reduce(0, +)))
    let sorted = values.sorted()
    for percent in [1.0, 50, 90, 99, 100] {
      let rank = max(1, Int((Double(values.count) * percent / 100).rounded(.up)))
      let exact = sorted[rank - 1]
      let said = try #require(histogram.percentile(percent))
      #expect(abs(said - exact) * 8 <= max(exact, 8), "\(percent): \(said), not \(exact)")
    }
  }

  @Test("Without numbers there is no percentile")
  func empty() throws {
    #expect(try MonitorRig().snapshot()[.guestRecovery].percentile(50) == nil)
  }

  @Test("A span of time counts in microseconds")
  func spans() throws {
    let rig = MonitorRig()
    rig.writer.record(.transmitLead, Interval.milliseconds(3))
    #expect(try rig.snapshot()[.transmitLead].sum == 3000)
  }
}
