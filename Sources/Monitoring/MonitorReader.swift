// SPDX-License-Identifier: Apache-2.0

public import Memory
import Timekeeping

/// Reads what a `MonitorRegion` wrote, in another process and while it writes. It takes no lock and changes nothing; and since anybody
/// may have written the memory, it believes nothing: whatever is there gives numbers, or an error.
public struct MonitorReader {
  /// How often a connection's report is read again that was written meanwhile.
  private static let attempts = 100

  private let region: ByteRegion
  private let histograms: (offset: Int, count: Int, stride: Int)
  private let flows: (offset: Int, count: Int, stride: Int)
  private let counters: (offset: Int, count: Int)
  /// Earlier writers have none.
  private let classes: (offset: Int, count: Int, stride: Int)
  public let identity: MonitorIdentity

  /// - Parameter region: all of the file.
  public init(over region: ByteRegion) throws(MonitorError) {
    guard region.count >= MonitorLayout.headerBytes else {
      throw .tooSmall(has: region.count, needs: MonitorLayout.headerBytes)
    }
    guard region.load(UInt64.self, at: MonitorLayout.magicOffset) == MonitorLayout.magic else { throw .notOurs }
    acquireFence()
    let version = region.load(UInt32.self, at: MonitorLayout.versionOffset)
    guard version == MonitorLayout.version else { throw .otherVersion(version) }
    let bytes = region.load(UInt64.self, at: MonitorLayout.byteCountOffset)
    guard bytes <= UInt64(region.count) else { throw .tooSmall(has: region.count, needs: Int(clamping: bytes)) }
    func number(_ offset: Int) -> Int { Int(region.load(UInt32.self, at: offset)) }
    self.region = region
    counters = (number(MonitorLayout.countersOffset), number(MonitorLayout.countersOffset + 4))
    histograms = (
      number(MonitorLayout.histogramsOffset), number(MonitorLayout.histogramsOffset + 4),
      number(MonitorLayout.histogramsOffset + 8)
    )
    flows = (
      number(MonitorLayout.flowsOffset), number(MonitorLayout.flowsOffset + 4), number(MonitorLayout.flowsOffset + 8)
    )
    classes = (
      number(MonitorLayout.classesOffset), number(MonitorLayout.classesOffset + 4),
      number(MonitorLayout.classesOffset + 8)
    )
    // Products of two numbers of 32 bits, and a third: no overflow in 64.
    let isWhole =
      counters.count >= MonitorLayout.fewestCounters && counters.count <= MonitorLayout.mostCounters
      && counters.offset + 8 * counters.count <= region.count
      && histograms.count == MonitorHistogram.allCases.count && histograms.stride == MonitorLayout.histogramStride
      && histograms.offset + histograms.count * histograms.stride <= region.count
      && flows.count <= MonitorLayout.mostFlows && flows.stride == MonitorLayout.flowStride
      && flows.offset + flows.count * flows.stride <= region.count
      && classes.count <= MonitorLayout.classCount
      && (classes.count == 0 || classes.stride == MonitorLayout.classStride)
      && classes.offset + classes.count * classes.stride <= region.count
    guard isWhole else { throw .damaged }
    identity = MonitorIdentity(
      process: region.load(at: MonitorLayout.processOffset),
      started: Instant(nanoseconds: region.load(at: MonitorLayout.startedOffset)),
      mode: UInt8(clamping: number(MonitorLayout.modeOffset)),
      uplink: Self.text(region.slice(from: MonitorLayout.uplinkOffset, count: MonitorLayout.uplinkBytes)),
      socket: Self.text(region.slice(from: MonitorLayout.socketOffset, count: MonitorLayout.socketBytes)))
  }

  /// Printable ASCII up to the first zero; other octets as `?`.
  private static func text(_ region: ByteRegion) -> String {
    String(decoding: region.bytes.prefix { $0 != 0 }.map { (0x20..<0x7f).contains($0) ? $0 : 0x3f }, as: UTF8.self)
  }

  /// All that is there now. Parts are of different moments, but each connection's report is whole.
  public func snapshot() -> MonitorSnapshot {
    var snapshot = MonitorSnapshot(identity: identity)
    snapshot.updated = Instant(nanoseconds: region.load(at: MonitorLayout.updatedOffset))
    snapshot.flowCount = region.load(at: MonitorLayout.flowCountOffset)
    let allowed = region.load(UInt32.self, at: MonitorLayout.flowLimitOffset)
    snapshot.flowLimit = allowed == 0 ? UInt32(flows.count) : min(allowed, UInt32(flows.count))
    snapshot.heldChunks = region.load(at: MonitorLayout.heldChunksOffset)
    snapshot.chunkLimit = region.load(at: MonitorLayout.chunkLimitOffset)
    snapshot.chunkBytes = region.load(at: MonitorLayout.chunkBytesOffset)
    snapshot.transmitRate = region.load(at: MonitorLayout.ratesOffset)
    snapshot.receiveRate = region.load(at: MonitorLayout.ratesOffset + 8)
    for place in 0..<min(counters.count, MonitorLayout.counterCount) {
      snapshot.counters[place] = region.load(at: counters.offset + 8 * place)
    }
    snapshot.histograms = MonitorHistogram.allCases.map { histogram($0.rawValue) }
    snapshot.classes = (0..<classes.count).compactMap { classReport($0) }
    let end = Int(region.load(UInt32.self, at: MonitorLayout.flowsEndOffset))
    for place in 0..<min(end, flows.count) {
      guard let report = report(at: place) else {
        snapshot.unreadable += 1
        continue
      }
      if report.phase != 0 { snapshot.flows.append(report) }
    }
    return snapshot
  }

  /// Nil if there is no class of that number.
  private func classReport(_ place: Int) -> ClassReport? {
    let row = region.slice(from: classes.offset + place * classes.stride, count: classes.stride)
    let name = Self.text(row.slice(from: MonitorLayout.classNameOffset, count: MonitorLayout.classNameBytes))
    guard !name.isEmpty else { return nil }
    func leg(_ isNetwork: Bool) -> (delivered: UInt64, counters: [UInt64]) {
      let begin = MonitorLayout.classOffset(isNetwork: isNetwork)
      return (row.load(at: begin), LegCounter.allCases.map { row.load(at: begin + 8 + 8 * $0.rawValue) })
    }
    let (guest, network) = (leg(false), leg(true))
    return ClassReport(
      number: UInt8(truncatingIfNeeded: place), name: name, flows: row.load(at: 0),
      delivered: (guest.delivered, network.delivered), guestCounters: guest.counters,
      networkCounters: network.counters)
  }

  private func histogram(_ place: Int) -> Histogram {
    let memory = region.slice(from: histograms.offset + place * histograms.stride, count: histograms.stride)
    return Histogram(
      buckets: (0..<HistogramBuckets.count).map { memory.load(at: MonitorLayout.bucketsOffset + 8 * $0) },
      sum: memory.load(at: 0))
  }

  /// Nil if it was being written each time, or whoever wrote it ended in the middle.
  func report(at place: Int) -> FlowReport? {
    let row = region.slice(from: flows.offset + place * flows.stride, count: flows.stride)
    for _ in 0..<Self.attempts {
      let before = row.load(UInt32.self, at: 0)
      acquireFence()
      let report: FlowReport = row.load(at: MonitorLayout.reportOffset)
      acquireFence()
      if before & 1 == 0, row.load(UInt32.self, at: 0) == before { return report }
      spinPause()
    }
    return nil
  }
}
