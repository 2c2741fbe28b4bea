// SPDX-License-Identifier: Apache-2.0

import Memory

// Classes of connections (R18): what the connections of one class came to, those that are over included.

extension MonitorRegion {
  /// Says what the classes are called, by number. What was counted for a name stays with it, whatever its number was; what has no name
  /// any more is forgotten.
  ///
  /// - Parameter names: those beyond 256 are left out, as are octets beyond 32.
  public func nameClasses(_ names: [String]) {
    var before: [[UInt8]] = []
    // No further than they go: what was never touched takes no memory.
    while before.count < MonitorLayout.classCount, hasName(before.count) { before.append(classRow(before.count).bytes) }
    let names = names.prefix(MonitorLayout.classCount).map { name in
      let octets = Array(name.utf8.prefix(MonitorLayout.classNameBytes))
      return octets + [UInt8](repeating: 0, count: MonitorLayout.classNameBytes - octets.count)
    }
    for place in 0..<max(before.count, names.count) {
      let row = classRow(place)
      guard place < names.count else {
        row.fill(with: 0)
        continue
      }
      if let known = before.first(where: { $0[MonitorLayout.classNameOffset...].starts(with: names[place]) }) {
        row.copy(from: known)
      } else {
        row.fill(with: 0)
        row.copy(from: names[place], at: MonitorLayout.classNameOffset)
      }
    }
  }

  private func hasName(_ place: Int) -> Bool {
    classRow(place).load(UInt8.self, at: MonitorLayout.classNameOffset) != 0
  }

  /// Adds what a connection has come to since its last report to the class that it is in now.
  func addToClass(_ report: FlowReport, since before: FlowReport) {
    let row = classRow(Int(report.classNumber))
    if before.phase == 0, report.phase != 0 { add(1, to: row, at: 0) }
    addToClass(report.guest, since: before.guest, row.suffix(from: MonitorLayout.classOffset(isNetwork: false)))
    addToClass(report.network, since: before.network, row.suffix(from: MonitorLayout.classOffset(isNetwork: true)))
  }

  private func addToClass(_ report: LegReport, since before: LegReport, _ leg: ByteRegion) {
    add(report.delivered > before.delivered ? report.delivered &- before.delivered : 0, to: leg, at: 0)
    for counter in LegCounter.allCases {
      add(UInt64(report[counter] &- before[counter]), to: leg, at: 8 &+ 8 &* counter.rawValue)
    }
  }

  private func add(_ value: UInt64, to row: ByteRegion, at offset: Int) {
    guard value != 0 else { return }
    row.store(row.load(UInt64.self, at: offset) &+ value, at: offset)
  }

  private func classRow(_ place: Int) -> ByteRegion {
    region.slice(
      from: MonitorLayout.classesBegin &+ place &* MonitorLayout.classStride, count: MonitorLayout.classStride)
  }
}
