// SPDX-License-Identifier: Apache-2.0

import Foundation
import Memory
import Testing
import Timekeeping

@testable import Monitoring

@Suite struct RegionTests {
  @Test("The layout is the one that docs/monitoring.md promises")
  func layout() {
    #expect(MemoryLayout<LegReport>.size == 88)
    #expect(MemoryLayout<FlowReport>.size == 248)
    #expect(MonitorLayout.reportOffset + MemoryLayout<FlowReport>.size == MonitorLayout.flowStride)
    #expect(MonitorLayout.classesBegin == 24576 && MonitorLayout.flowsBegin == 90112)
    #expect(MonitorLayout.classNameOffset == 168)
    #expect(MonitorLayout.classNameOffset + MonitorLayout.classNameBytes <= MonitorLayout.classStride)
    #expect(MemoryLayout<FlowReport>.offset(of: \.lastSeen) == 32)
    #expect(MemoryLayout<FlowReport>.offset(of: \.began) == 40)
    #expect(MemoryLayout<FlowReport>.offset(of: \.virtualNetwork) == 44)
    #expect(MemoryLayout<FlowReport>.offset(of: \.guestPort) == 52)
    #expect(MemoryLayout<FlowReport>.offset(of: \.phase) == 56)
    #expect(MemoryLayout<FlowReport>.offset(of: \.configuration) == 60)
    #expect(MemoryLayout<FlowReport>.offset(of: \.guest) == 72)
    #expect(MemoryLayout<FlowReport>.offset(of: \.network) == 160)
    #expect(MemoryLayout<LegReport>.offset(of: \.congestionWindow) == 20)
    #expect(MemoryLayout<LegReport>.offset(of: \.segmentSize) == 44)
    #expect(MemoryLayout<LegReport>.offset(of: \.counters) == 48)
    #expect(MemoryLayout<LegReport>.offset(of: \.congestionPhase) == 84)
    let counters = MonitorLayout.countersBegin + 8 * MonitorLayout.counterCount
    #expect(counters <= MonitorLayout.histogramsBegin)
    #expect(MonitorLayout.bucketsOffset + 8 * HistogramBuckets.count <= MonitorLayout.histogramStride)
  }

  @Test("What was written is read")
  func whatWasWritten() throws {
    let rig = MonitorRig()
    for (place, counter) in MonitorCounter.allCases.enumerated() { rig.writer.set(counter, UInt64(100 + place)) }
    rig.writer.update(flowCount: 3, heldChunks: 7, chunkLimit: 90, chunkBytes: 4096, now: Instant(nanoseconds: 12))
    rig.writer.publish(MonitorRig.report(counters: 5), at: 2)
    let snapshot = try rig.snapshot()
    #expect(snapshot.identity == MonitorRig.identity)
    #expect(snapshot.updated == Instant(nanoseconds: 12))
    for (place, counter) in MonitorCounter.allCases.enumerated() { #expect(snapshot[counter] == UInt64(100 + place)) }
    #expect((snapshot.flowCount, snapshot.heldChunks, snapshot.chunkLimit, snapshot.chunkBytes) == (3, 7, 90, 4096))
    #expect(snapshot.flowLimit == 4 && snapshot.unreadable == 0)
    let flow = try #require(snapshot.flows.first)
    #expect(snapshot.flows.count == 1)
    #expect(flow.network == MonitorRig.report(counters: 5).network)
    #expect(flow.guestPort == 43210 && flow.networkPort == 443)
  }

  @Test("Counters that the reader does not know are passed over, and those that the writer did not have are 0")
  func otherCounters() throws {
    let rig = MonitorRig()
    rig.writer.set(.resets, 5)
    rig.writer.set(.storedSegments, 6)
    rig.memory.store(UInt32(MonitorLayout.counterCount + 3), at: MonitorLayout.countersOffset + 4)
    #expect(try rig.snapshot()[.storedSegments] == 6)
    rig.memory.store(UInt32(MonitorLayout.fewestCounters), at: MonitorLayout.countersOffset + 4)
    #expect(try rig.snapshot()[.resets] == 5)
    #expect(try rig.snapshot()[.storedSegments] == 0)
  }

  @Test("A leg's total grows by what its connections counted, also after they are gone")
  func totals() throws {
    let rig = MonitorRig()
    rig.writer.publish(MonitorRig.report(counters: 5), at: 0)
    rig.writer.publish(MonitorRig.report(counters: 8), at: 0)
    rig.writer.publish(MonitorRig.report(counters: 1), at: 1)
    rig.writer.clear(at: 0)
    rig.writer.publish(MonitorRig.report(counters: 2), at: 0)
    let snapshot = try rig.snapshot()
    for counter in LegCounter.allCases {
      #expect(snapshot.total(counter, isNetwork: true) == 8 + 1 + 2)
      #expect(snapshot.total(counter, isNetwork: false) == 0)
    }
  }

  @Test("A counter of a connection that wraps still adds to the total")
  func wrap() throws {
    let rig = MonitorRig()
    rig.writer.publish(MonitorRig.report(counters: .max), at: 0)
    rig.writer.publish(MonitorRig.report(counters: 4), at: 0)
    #expect(try rig.snapshot().total(.segments, isNetwork: true) == UInt64(UInt32.max) + 5)
  }

  @Test("Octets delivered are counted beyond what sequence numbers can say")
  func delivered() throws {
    let rig = MonitorRig()
    var number: UInt32 = 4_000_000_000
    rig.writer.publish(MonitorRig.report(acknowledged: number), at: 0)
    for _ in 0..<6 {
      number &+= 1_000_000_000
      rig.writer.publish(MonitorRig.report(acknowledged: number), at: 0)
    }
    #expect(try rig.snapshot().flows[0].network.delivered == 6_000_000_000)
    // Another connection of the same ends has begun.
    rig.writer.publish(MonitorRig.report(acknowledged: number &- 5), at: 0)
    #expect(try rig.snapshot().flows[0].network.delivered == 6_000_000_000)
  }

  @Test("A connection's age is counted from its first report; a cleared one is gone")
  func began() throws {
    let rig = MonitorRig()
    var report = MonitorRig.report()
    rig.writer.publish(report, at: 1)
    report.lastSeen = 9_000_000_000
    rig.writer.publish(report, at: 1)
    #expect(try rig.snapshot().flows[0].began == 2)
    rig.writer.clear(at: 1)
    #expect(try rig.snapshot().flows.isEmpty)
  }

  @Test("A place beyond the limit is not written")
  func beyond() throws {
    let rig = MonitorRig(flowLimit: 2)
    let before = rig.memory.bytes
    for place in [-1, 2, .max, .min] {
      rig.writer.publish(MonitorRig.report(), at: place)
      rig.writer.clear(at: place)
    }
    #expect(rig.memory.bytes == before)
  }

  @Test("A report whose writer ended in the middle is not shown, and counted")
  func halfWritten() throws {
    let rig = MonitorRig()
    rig.writer.publish(MonitorRig.report(), at: 0)
    rig.writer.publish(MonitorRig.report(), at: 1)
    rig.memory.store(rig.memory.load(UInt32.self, at: MonitorLayout.flowsBegin) | 1, at: MonitorLayout.flowsBegin)
    let snapshot = try rig.snapshot()
    #expect(snapshot.flows.count == 1 && snapshot.unreadable == 1)
    // And the next writer brings it back.
    rig.writer.publish(MonitorRig.report(), at: 0)
    #expect(try rig.snapshot().unreadable == 0)
  }

  @Test("No reader sees half of a report while it is being written")
  func torn() throws {
    let rig = MonitorRig(flowLimit: 1)
    let reader = try MonitorReader(over: rig.memory)
    let flag = ByteRegion.allocate(count: 8)
    defer { flag.deallocate() }
    let isOver = SharedRegion(flag)
    let writer = rig.writer
    Thread.detachNewThread {
      var report = MonitorRig.report()
      report.phase = 1
      for round in 1...300_000 as ClosedRange<UInt64> {
        report.guestAddressHigh = round
        report.guestAcknowledged = UInt32(truncatingIfNeeded: round)
        report.network[.swallowedAcknowledgments] = UInt32(truncatingIfNeeded: round)
        writer.publish(report, at: 0)
      }
      isOver.storeRelease32(1, at: 0)
    }
    var whole = 0
    repeat {
      guard let report = reader.report(at: 0), report.phase != 0 else { continue }
      whole += 1
      let isTorn =
        report.guestAddressHigh != UInt64(report.guestAcknowledged)
        || report.guestAcknowledged != report.network[.swallowedAcknowledgments]
      guard !isTorn else {
        Issue.record("torn: \(report)")
        break
      }
    } while isOver.loadAcquire32(at: 0) == 0
    while isOver.loadAcquire32(at: 0) == 0 { spinPause() }
    #expect(whole > 0)
  }
}
