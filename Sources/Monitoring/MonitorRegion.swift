// SPDX-License-Identifier: Apache-2.0

public import Memory
public import Timekeeping

/// Where the module writes what others may see of it (FIG. 15, 1550): memory that they map for reading, and that we never believe.
///
/// A copy of what counts, not what the module works with: whoever can write it harms the figures only, and its layout is ours to
/// promise. There is one writer. A connection's report is written as a whole between two changes of its sequence word, which is odd
/// meanwhile; all else are single words.
///
/// A value is a handle; copies are the same memory.
public struct MonitorRegion: Sendable {
  let region: ByteRegion
  private let started: Instant
  /// Connections that there is room for.
  public let flowLimit: Int

  /// Bytes for so many connections; a multiple of the page size.
  public static func byteCount(flowLimit: Int) -> Int {
    (MonitorLayout.flowsBegin + flowLimit * MonitorLayout.flowStride + 4095) / 4096 * 4096
  }

  /// - Parameter region: zeroes, `byteCount(flowLimit:)` of them, that begin on a page.
  public init(creatingIn region: ByteRegion, identity: MonitorIdentity, flowLimit: Int) {
    precondition(region.count >= Self.byteCount(flowLimit: flowLimit), "too small")
    self.region = region
    started = identity.started
    self.flowLimit = flowLimit
    region.store(MonitorLayout.version, at: MonitorLayout.versionOffset)
    region.store(UInt32(MonitorLayout.headerBytes), at: MonitorLayout.headerBytesOffset)
    region.store(UInt64(Self.byteCount(flowLimit: flowLimit)), at: MonitorLayout.byteCountOffset)
    storeSection(MonitorLayout.countersOffset, [MonitorLayout.countersBegin, MonitorLayout.counterCount])
    storeSection(
      MonitorLayout.histogramsOffset,
      [MonitorLayout.histogramsBegin, MonitorHistogram.allCases.count, MonitorLayout.histogramStride])
    storeSection(
      MonitorLayout.classesOffset,
      [MonitorLayout.classesBegin, MonitorLayout.classCount, MonitorLayout.classStride])
    storeSection(MonitorLayout.flowsOffset, [MonitorLayout.flowsBegin, flowLimit, MonitorLayout.flowStride])
    region.store(identity.process, at: MonitorLayout.processOffset)
    region.store(UInt32(identity.mode), at: MonitorLayout.modeOffset)
    region.store(identity.started.nanoseconds, at: MonitorLayout.startedOffset)
    store(identity.uplink, at: MonitorLayout.uplinkOffset, MonitorLayout.uplinkBytes)
    store(identity.socket, at: MonitorLayout.socketOffset, MonitorLayout.socketBytes)
    // Last: a file without it is not there yet.
    releaseFence()
    region.store(MonitorLayout.magic, at: MonitorLayout.magicOffset)
  }

  /// Whether memory of 8 bytes or more begins as one of these, of any version.
  public static func isOne(_ region: ByteRegion) -> Bool {
    region.load(UInt64.self, at: MonitorLayout.magicOffset) == MonitorLayout.magic
  }

  private func storeSection(_ offset: Int, _ numbers: [Int]) {
    for (place, number) in numbers.enumerated() { region.store(UInt32(number), at: offset + 4 * place) }
  }

  private func store(_ text: String, at offset: Int, _ limit: Int) {
    region.copy(from: Array(text.utf8.prefix(limit)), at: offset)
  }

  // MARK: Counters

  public func set(_ counter: MonitorCounter, _ value: UInt64) {
    region.store(value, at: MonitorLayout.countersBegin &+ 8 &* MonitorLayout.place(counter))
  }

  private func add(_ value: UInt32, counter: Int) {
    guard value != 0 else { return }
    let offset = MonitorLayout.countersBegin &+ 8 &* counter
    region.store(region.load(UInt64.self, at: offset) &+ UInt64(value), at: offset)
  }

  /// What there is now: connections, and chunks that hold payload.
  public func update(flowCount: Int, heldChunks: Int, chunkLimit: Int, chunkBytes: Int, now: Instant) {
    region.store(UInt32(clamping: flowCount), at: MonitorLayout.flowCountOffset)
    region.store(UInt32(clamping: heldChunks), at: MonitorLayout.heldChunksOffset)
    region.store(UInt32(clamping: chunkLimit), at: MonitorLayout.chunkLimitOffset)
    region.store(UInt32(clamping: chunkBytes), at: MonitorLayout.chunkBytesOffset)
    region.store(now.nanoseconds, at: MonitorLayout.updatedOffset)
  }

  /// How fast the VM may send and receive, in bits per second; 0: there is no limit.
  public func setRates(transmit: Int, receive: Int) {
    region.store(UInt64(clamping: transmit), at: MonitorLayout.ratesOffset)
    region.store(UInt64(clamping: receive), at: MonitorLayout.ratesOffset + 8)
  }

  /// Connections that are followed at once by the policy in force.
  public func setFlowLimit(_ limit: Int) {
    region.store(UInt32(clamping: limit), at: MonitorLayout.flowLimitOffset)
  }

  /// Counts a number; negative ones as 0.
  public func record(_ histogram: MonitorHistogram, _ value: Int) {
    let begin = MonitorLayout.histogramsBegin &+ histogram.rawValue &* MonitorLayout.histogramStride
    let bucket = begin &+ MonitorLayout.bucketsOffset &+ 8 &* HistogramBuckets.place(of: value)
    region.store(region.load(UInt64.self, at: bucket) &+ 1, at: bucket)
    region.store(region.load(UInt64.self, at: begin) &+ UInt64(clamping: value), at: begin)
  }

  /// Counts a span of time, in microseconds.
  public func record(_ histogram: MonitorHistogram, _ span: Interval) {
    record(histogram, Int(span.nanoseconds / 1000))
  }

  // MARK: Connections

  /// Says how a connection stands. What is kept here is filled in: `began`, and `delivered` but for the first report of a
  /// connection that stands. Legs' totals and its class's grow by what its counters grew since the last time.
  ///
  /// - Parameter place: from 0; beyond `flowLimit` nothing is said.
  public func publish(_ report: FlowReport, at place: Int) {
    guard place >= 0, place < flowLimit else { return }
    let row = region.slice(
      from: MonitorLayout.flowsBegin &+ place &* MonitorLayout.flowStride, count: MonitorLayout.flowStride)
    let before: FlowReport = row.load(at: MonitorLayout.reportOffset)
    var report = report
    let isNew = before.phase == 0
    let age = (Int64(truncatingIfNeeded: report.lastSeen) &- started.nanoseconds) / 1_000_000_000
    report.began = isNew ? UInt32(clamping: age) : before.began
    // From then on sequence numbers can only tell what was added.
    if before.phase == MonitorWords.phases.count {
      report.guest.delivered = Self.delivered(before.guest, before.guestAcknowledged, report.guestAcknowledged)
      report.network.delivered = Self.delivered(before.network, before.networkAcknowledged, report.networkAcknowledged)
    }
    addTotals(report.guest, since: before.guest, isNetwork: false)
    addTotals(report.network, since: before.network, isNetwork: true)
    addToClass(report, since: before)
    if isNew { noteHighest(place) }
    write(report, to: row)
  }

  /// There is no connection at `place` any more.
  public func clear(at place: Int) {
    guard place >= 0, place < flowLimit else { return }
    let row = region.slice(
      from: MonitorLayout.flowsBegin &+ place &* MonitorLayout.flowStride, count: MonitorLayout.flowStride)
    write(FlowReport(), to: row)
  }

  private func write(_ report: FlowReport, to row: ByteRegion) {
    // Odd, whatever was there.
    let sequence = row.load(UInt32.self, at: 0) | 1
    row.store(sequence, at: 0)
    releaseFence()
    row.store(report, at: MonitorLayout.reportOffset)
    releaseFence()
    row.store(sequence &+ 1, at: 0)
  }

  private static func delivered(_ before: LegReport, _ from: UInt32, _ to: UInt32) -> UInt64 {
    let growth = to &- from
    // Back, or far ahead: another connection of the same ends has begun.
    return growth < 1 << 30 ? before.delivered &+ UInt64(growth) : before.delivered
  }

  private func addTotals(_ report: LegReport, since before: LegReport, isNetwork: Bool) {
    for counter in LegCounter.allCases {
      add(report[counter] &- before[counter], counter: MonitorLayout.place(counter, isNetwork: isNetwork))
    }
  }

  private func noteHighest(_ place: Int) {
    guard region.load(UInt32.self, at: MonitorLayout.flowsEndOffset) <= UInt32(clamping: place) else { return }
    region.store(UInt32(clamping: place &+ 1), at: MonitorLayout.flowsEndOffset)
  }
}
