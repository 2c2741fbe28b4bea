// SPDX-License-Identifier: Apache-2.0

import Memory
import Testing

@testable import Monitoring

@Suite("R18: what the connections of a class came to")
struct ClassTests {
  private func report(_ number: UInt8, counters: UInt32, acknowledged: UInt32 = 1000) -> FlowReport {
    var report = MonitorRig.report(counters: counters, acknowledged: acknowledged)
    report.classNumber = number
    return report
  }

  private func find(_ rig: MonitorRig, _ name: String) throws -> ClassReport {
    try #require(rig.snapshot().classes.first { $0.name == name }, "\(name)")
  }

  @Test("Each connection adds to its own class, also after it is over")
  func totals() throws {
    let rig = MonitorRig()
    rig.writer.nameClasses(["default", "web", "bulk"])
    rig.writer.publish(report(1, counters: 5), at: 0)
    rig.writer.publish(report(1, counters: 7, acknowledged: 1500), at: 0)
    rig.writer.publish(report(2, counters: 1), at: 1)
    rig.writer.clear(at: 0)
    rig.writer.publish(report(1, counters: 2), at: 0)
    let classes = try rig.snapshot().classes
    #expect(classes.map(\.name) == ["default", "web", "bulk"] && classes.map(\.number) == [0, 1, 2])
    #expect(classes.map(\.flows) == [0, 2, 1])
    #expect(classes[1].delivered == (0, 500))
    for counter in LegCounter.allCases {
      #expect(classes.map { $0.total(counter, isNetwork: true) } == [0, 7 + 2, 1])
      #expect(classes.map { $0.total(counter, isNetwork: false) } == [0, 0, 0])
    }
  }

  @Test("What was counted for a name stays with the name when policy numbers the classes anew")
  func renumbered() throws {
    let rig = MonitorRig()
    rig.writer.nameClasses(["default", "web", "bulk"])
    rig.writer.publish(report(1, counters: 5), at: 0)
    rig.writer.publish(report(2, counters: 3), at: 1)
    rig.writer.nameClasses(["default", "bulk", "new", "web"])
    #expect(try find(rig, "web").total(.segments, isNetwork: true) == 5)
    #expect(try find(rig, "bulk").total(.segments, isNetwork: true) == 3)
    #expect(try find(rig, "new").flows == 0)
    // From then on it counts where it belongs.
    rig.writer.publish(report(3, counters: 6), at: 0)
    #expect(try find(rig, "web").total(.segments, isNetwork: true) == 6)
    rig.writer.nameClasses(["default"])
    #expect(try rig.snapshot().classes.map(\.name) == ["default"])
    rig.writer.nameClasses(["default", "web"])
    #expect(try find(rig, "web").flows == 0)
  }

  @Test("A name is 32 octets at most, and there are 256 classes at most")
  func limits() throws {
    let rig = MonitorRig()
    let long = String(repeating: "n", count: 40)
    rig.writer.nameClasses((0..<300).map { $0 == 7 ? long : "c\($0)" })
    let classes = try rig.snapshot().classes
    #expect(classes.count == 256 && classes[7].name == String(repeating: "n", count: 32))
    rig.writer.publish(report(255, counters: 1), at: 0)
    #expect(try find(rig, "c255").flows == 1)
  }

  @Test("A file of a writer that counted no classes is read without them")
  func earlierWriter() throws {
    let rig = MonitorRig()
    rig.writer.nameClasses(["default"])
    for place in 0..<3 { rig.memory.store(0 as UInt32, at: MonitorLayout.classesOffset + 4 * place) }
    #expect(try rig.snapshot().classes.isEmpty)
  }

  @Test("The table names classes where there are several")
  func table() throws {
    let rig = MonitorRig()
    let now = MonitorRig.identity.started
    rig.writer.nameClasses(["default"])
    rig.writer.publish(report(0, counters: 2), at: 0)
    #expect(try !rig.snapshot().text(isRunning: true, now: now).contains("class"))
    rig.writer.nameClasses(["default", "web"])
    rig.writer.publish(report(1, counters: 2), at: 1)
    let text = try rig.snapshot().text(isRunning: true, now: now)
    #expect(text.contains("class web: 1 connections\n  network data_segs_in:2 "))
    #expect(text.contains("class web, opened"))
    let json = try rig.snapshot().json(isRunning: true, now: now)
    #expect(json.contains(#""classes": [{"class": 0, "name": "default", "flows": 1, "guest_leg": {"delivered": 0, "#))
  }
}
