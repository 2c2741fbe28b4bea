// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import Testing

@Suite("What is kept for a NIC")
struct KeepingTests {
  private func message(_ text: String) -> NotifyMessage { NotifyMessage(parsing: text.utf8) }

  @Test func messagesOfSystemdsLanguageAreUnderstood() {
    let store = message("FDSTORE=1\nFDPOLL=0\nFDNAME=kick-0\n")
    #expect(store.keeping == .store)
    #expect(store.name == "kick-0")
    #expect(message("FDSTOREREMOVE=1\nFDNAME=kick-0").keeping == .remove)
    let ready = message("READY=1\nSTATUS=serves the front-end\nMAINPID=1\n")
    #expect(ready.isReady)
    #expect(ready.status == "serves the front-end")
    #expect(ready.keeping == .nothing)
    #expect(message("STOPPING=1").isStopping)
    #expect(message("FDSTORE=1").name == "stored")
  }

  @Test(arguments: ["", "\n\n", "READY", "READY=2", "ready=1", "FDSTORE=yes", "=1", "READY=1=1", "\u{0}\u{0}"])
  func whatIsNoMessageChangesNothing(_ text: String) {
    let read = message(text)
    #expect(!read.isReady && read.keeping == .nothing && read.status == nil)
  }

  @Test(arguments: ["a:b", "", "ü", "a\tb", String(repeating: "x", count: 256)])
  func nameThatSystemdWouldNotTakeIsNotTaken(_ name: String) {
    #expect(message("FDSTORE=1\nFDNAME=\(name)").name == "stored")
  }

  @Test func statusGoesIntoLogsAsOneLineOfLimitedLength() throws {
    let status = try #require(message("STATUS=a\u{1B}[31m\t" + String(repeating: "x", count: 4000)).status)
    #expect(status.hasPrefix("a?[31m?"))
    #expect(status.count == 512)
    #expect(message("\u{FF}\u{FE}STATUS=x").status == nil)
  }

  @Test func descriptorsComeBackInTheOrderInWhichTheyWereStored() {
    var store = DescriptorStore<Int>(limit: 10)
    store.store([3], name: "listener")
    store.take(message("FDSTORE=1\nFDNAME=memory-0"), descriptors: [4])
    store.take(message("FDSTORE=1\nFDNAME=kick-0"), descriptors: [5])
    #expect(store.entries.map(\.name) == ["listener", "memory-0", "kick-0"])
    #expect(store.entries.map(\.descriptor) == [3, 4, 5])
  }

  @Test func removingANameRemovesAllOfIt() {
    var store = DescriptorStore<Int>(limit: 10)
    store.take(message("FDSTORE=1\nFDNAME=a"), descriptors: [1, 2])
    store.take(message("FDSTORE=1\nFDNAME=b"), descriptors: [3])
    store.take(message("FDSTORE=1\nFDNAME=a"), descriptors: [4])
    store.take(message("FDSTOREREMOVE=1\nFDNAME=a"), descriptors: [])
    #expect(store.entries.map(\.descriptor) == [3])
  }

  @Test func descriptorsThatComeWithAnythingElseAreNotKept() {
    var store = DescriptorStore<Int>(limit: 10)
    store.take(message("READY=1"), descriptors: [1])
    store.take(message("FDSTOREREMOVE=1\nFDNAME=a"), descriptors: [2])
    #expect(store.entries.isEmpty)
  }

  @Test func noNICKeepsMoreThanTheLimit() {
    var store = DescriptorStore<Int>(limit: 3)
    store.take(message("FDSTORE=1\nFDNAME=a"), descriptors: [1, 2, 3, 4, 5])
    store.take(message("FDSTORE=1\nFDNAME=b"), descriptors: [6])
    #expect(store.entries.map(\.descriptor) == [1, 2, 3])
    #expect(store.refused == 3)
  }

  @Test func limitFitsTheLargestNIC() {
    // 64 pairs: 256 virtqueues with three each, 64 queues of a TAP, QEMU's 509 memory slots, and what there is once.
    let needed = 256 * 3 + 64 + 509 + 8
    #expect(DescriptorStore<Int>.limit(queuePairs: 64) >= needed)
    #expect(DescriptorStore<Int>.limit(queuePairs: 1) >= 4 * 3 + 1 + 509 + 8)
  }

  @Test func cleanStartHasTheWayToTheNetworkAndNothingOfTheSession() {
    var store = DescriptorStore<Int>(limit: 20)
    let names = [
      "listener", "uplink-0", "uplink-1", "uplink", "control", "state", "connection", "memory-0", "kick-0", "call-0",
      "error-0", "backend-requests", "log", "log-call", "uplinks",
    ]
    for (index, name) in names.enumerated() { store.store([index], name: name) }
    store.dropSession()
    #expect(store.entries.map(\.name) == ["listener", "uplink-0", "uplink-1", "uplink", "control"])
  }
}
