// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import PolicyLanguage
import Testing
import Timekeeping

@Suite("The policy's history, what is set for a while, and events")
struct HistoryTests {
  @Test func eachNewPolicyIsARevisionAndTheSameOneIsNot() throws {
    var history = PolicyHistory()
    let answer1 = history.add(digest: "a", user: 0, time: 1, reason: "start")
    #expect(answer1?.added.number == 1)
    let answer2 = history.add(digest: "a", user: 0, time: 2, reason: "reload")
    #expect(answer2 == nil)
    let answer3 = history.add(digest: "b", user: nil, time: 3, reason: "set")
    #expect(answer3?.added.number == 2)
    // Going back is a step forward too.
    let answer4 = history.add(digest: "a", user: 0, time: 4, reason: "rollback to 1")
    #expect(answer4?.added.number == 3)
    #expect(history[2]?.digest == "b")
    #expect(history[4] == nil)
  }

  @Test func oldestRevisionsAreForgotten() throws {
    var history = PolicyHistory()
    var forgotten: [Int] = []
    for number in 1...PolicyHistory.limit + 5 {
      let answer5 = history.add(digest: "\(number)", user: 0, time: 0, reason: "set")
      let added = try #require(answer5)
      forgotten += added.forgotten.map(\.number)
    }
    #expect(forgotten == [1, 2, 3, 4, 5])
    #expect(history.revisions.count == PolicyHistory.limit)
    #expect(history.last?.number == PolicyHistory.limit + 5)
  }

  @Test func revisionIsReadAsItIsKept() throws {
    for user in [nil, 0, UInt32.max] {
      let revision = PolicyRevision(
        number: 42, digest: "abc", user: user, time: 1_795_420_800_000_000_000, reason: "rollback to 7")
      #expect(PolicyRevision(try JSONValue(parsing: revision.json.text.utf8)) == revision)
    }
    #expect(PolicyRevision(["revision": 0, "sha256": "a", "time": 1, "reason": "x"]) == nil)
    #expect(PolicyRevision(["revision": 1]) == nil)
    #expect(PolicyRevision([1]) == nil)
  }

  @Test func historyOfFilesInAnyOrderIsInOrder() {
    let revisions = [3, 1, 2, 3].map { PolicyRevision(number: $0, digest: "\($0)", user: 0, time: 0, reason: "x") }
    #expect(PolicyHistory(revisions).revisions.map(\.number) == [1, 2, 3])
    var last = PolicyHistory([PolicyRevision(number: .max, digest: "x", user: 0, time: 0, reason: "x")])
    let answer6 = last.add(digest: "y", user: 0, time: 0, reason: "x")
    #expect(answer6?.added.number == .max)
  }

  @Test func overrideHoldsUntilItsTimeIsOver() throws {
    var table = OverrideTable()
    let answer7 = table.add(target: .all, key: "buffer", value: "4MiB", until: 100, user: 0)
    let first = try #require(answer7)
    let answer8 = table.add(target: .nic("web1"), key: "rate", value: "1Gbit", until: 50, user: 0)
    let second = try #require(answer8)
    #expect(first.identifier == "1" && second.identifier == "2")
    #expect(table.nextEnd == 50)
    let answer9 = table.expire(now: 49)
    #expect(answer9.isEmpty)
    let answer10 = table.expire(now: 50)
    #expect(answer10 == [second])
    #expect(table.nextEnd == 100)
    let answer11 = table.remove("2")
    #expect(!answer11)
    let answer12 = table.remove("1")
    #expect(answer12)
    #expect(table.nextEnd == nil)
  }

  @Test func overrideIsForWhomItNames() throws {
    var table = OverrideTable()
    _ = table.add(target: .all, key: "a", value: "1", until: 1, user: 0)
    _ = table.add(target: .machine("web"), key: "b", value: "2", until: 1, user: 0)
    _ = table.add(target: .nic("web1"), key: "c", value: "3", until: 1, user: 0)
    var settings = NICSettings()
    let name = try NICName("web1")
    #expect(table.settings(for: name, settings).map(\.key) == ["a", "c"])
    settings.machine = "web"
    #expect(table.settings(for: name, settings).map(\.key) == ["a", "b", "c"])
    #expect(table.settings(for: try NICName("web2"), settings).map(\.key) == ["a", "b"])
  }

  @Test func overridesAreReadAsTheyAreKept() throws {
    var table = OverrideTable()
    _ = table.add(target: .all, key: "a", value: "1", until: 1, user: 5)
    _ = table.add(target: .machine("web"), key: "b", value: "x y", until: .max, user: 0)
    _ = table.add(target: .nic("web1"), key: "c", value: "3", until: 7, user: .max)
    var again = OverrideTable(try JSONValue(parsing: table.json.text.utf8))
    #expect(again == table)
    #expect(again.add(target: .all, key: "d", value: "4", until: 1, user: 0)?.identifier == "4")
    #expect(OverrideTable([["id": "x"], 5, .null, ["id": "-1", "key": "a"]]).entries.isEmpty)
  }

  @Test func thereAreNotMoreOverridesThanTheLimit() {
    var table = OverrideTable()
    for _ in 0..<OverrideTable.limit {
      let answer13 = table.add(target: .all, key: "a", value: "1", until: 1, user: 0) != nil
      #expect(answer13)
    }
    let answer14 = table.add(target: .all, key: "a", value: "1", until: 1, user: 0)
    #expect(answer14 == nil)
  }

  @Test func overrideIsUnderstoodOrAllThatIsWrongIsTold() throws {
    let good = try OverrideRequest(
      reading: Array(#"{"key": "buffer", "value": "4MiB", "ttl": "10m", "vm": "web1"}"#.utf8))
    #expect(good.target == .machine("web1") && good.time == .seconds(600) && good.value == "4MiB")
    do {
      _ = try OverrideRequest(reading: Array(#"{"key": "buffer", "ttl": "2d", "vm": "a", "nic": "b", "x": 1}"#.utf8))
      Issue.record("it was taken")
    } catch {
      #expect(error.failure.mistakes.count == 4, "\(error.failure.mistakes)")
    }
    #expect(throws: ServiceError.self) { try OverrideRequest(reading: []) }
    #expect(throws: ServiceError.self) { try OverrideRequest(reading: Array("[]".utf8)) }
  }

  @Test func questionWhyIsUnderstoodOrRefused() throws {
    let good = try ExplainRequest(reading: Array(#"{"flow": "tcp 10.0.0.1:1 > 10.0.0.2:2", "nic": "web1"}"#.utf8))
    #expect(good.flow == "tcp 10.0.0.1:1 > 10.0.0.2:2" && good.nic == "web1" && good.policy == nil)
    #expect(throws: ServiceError.self) { try ExplainRequest(reading: Array("{}".utf8)) }
    #expect(throws: ServiceError.self) { try ExplainRequest(reading: Array("{flow: a, flw: b}".utf8)) }
  }

  @Test func readerOfEventsThatIsTooSlowIsToldAndGetsNoMore() {
    var queue = EventQueue()
    let line = String(repeating: "x", count: 999)
    for _ in 0..<1000 { queue.append(line) }
    #expect(queue.isOver)
    #expect(queue.count <= EventQueue.limit + 200)
    var text: [UInt8] = []
    while !queue.isEmpty {
      let piece = queue.first(4096)
      text += piece
      queue.removeFirst(piece.count)
    }
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
    #expect(lines.count == EventQueue.limit / 1000 + 1)
    #expect(lines.last?.contains("too slow") == true)
    queue.append("more")
    #expect(queue.isEmpty)
  }

  @Test func readerThatKeepsUpIsNeverSentAway() {
    var queue = EventQueue()
    for number in 0..<10_000 {
      queue.append("\(number)")
      queue.removeFirst(queue.count)
    }
    #expect(!queue.isOver)
  }
}
