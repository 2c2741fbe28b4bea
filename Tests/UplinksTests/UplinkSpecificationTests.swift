// SPDX-License-Identifier: Apache-2.0

import Memory
import Testing
import Uplinks

@Suite("Uplink specification: what --uplink may say")
struct UplinkSpecificationTests {
  @Test(arguments: [
    ("tap:vtap0", UplinkSpecification.tap("vtap0")), ("tap:a23456789012345", .tap("a23456789012345")),
    ("packet:eth0.5", .packetSocket("eth0.5")), ("fd:5", .descriptor(5)), ("null", .null),
  ])
  func wellFormedTextIsUnderstoodAndPrintedBack(text: String, expected: UplinkSpecification) throws {
    let specification = try UplinkSpecification(parsing: text)
    #expect(specification == expected)
    #expect(specification.description == text)
  }

  @Test(arguments: [
    "", "tap", "tap:", "tap:a234567890123456", "tap:a/b", "tap:a b", "tap:..", "tap:vtap%d", "packet:", "packet:a:b",
    "fd:", "fd:x", "fd:-1", "fd:2", "fd:99999999999", "Null", "null:", "eth0",
  ])
  func mistakeIsOneSentence(text: String) {
    let error = #expect(throws: UplinkError.self) { _ = try UplinkSpecification(parsing: text) }
    #expect(error?.message.hasSuffix(".") == true)
  }

  @Test func nullCountsAndDrops() throws {
    let user = try UplinkUser("null", queuePairs: 4)
    #expect(user.uplink.queueCount == 4)
    #expect(user.uplink.descriptor(queue: 3) == nil)
    #expect(user.send([TestFrame.plain([1]), TestFrame.plain([2])]) == SendOutcome(accepted: 2, blocked: false))
    #expect(user.uplink.counters.framesSent == 2)
    #expect(user.uplink.counters.bytesSent == 2 * UInt64(TestFrame.plain([1]).count - 10))
    #expect(user.receive() == nil)
  }
}
