// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import Testing

@testable import Administration

@Suite struct PrintingTests {
  @Test("A connection has a line, and each leg one in the words of ss -i")
  func flows() throws {
    let network = Samples.leg("draining", reason: "buffer-full", delivered: 5000, retransmissions: 2)
    let statistics = Samples.statistics([Samples.flow(network: network, flowClass: 2), Samples.flow(port: 1)])
    let lines = FlowList.lines(statistics, try FlowSelector(parsing: [":43210"]), nic: "web1-0")
    #expect(
      lines == [
        "web1-0 10.0.2.15:43210 [2001:db8::1]:443 established vlan:7 class:bulk opener:guest age:1.0s idle:20ms",
        "  guest   accelerated rtt:20.1/0.5 minrtt:19.87 mss:1448 cwnd:10 unacked:3 snd_wnd:64000 held:5000 owned:4000",
        "  network draining reason:buffer-full rtt:20.1/0.5 minrtt:19.87 mss:1448 cwnd:10 bytes_acked:5000 unacked:3 "
          + "snd_wnd:64000 held:5000 owned:4000 retrans:2",
      ])
    #expect(FlowList.lines(statistics, nil, nic: nil).count == 6)
  }

  @Test("Numbers have a name each, and of two looks what changed is told with how much that is in a second")
  func statistics() {
    let before = Samples.statistics([])
    let now = Samples.statistics([Samples.flow()], earlyOctets: 1005)
    #expect(
      StatisticsList.lines(before) == [
        "     current_flows: 0", "     early_octets: 5", "     network_retransmissions: 2",
        "     network_round_trip_us_count: 3", "     network_round_trip_us_p50: 9",
        "     network_round_trip_us_p99: 11",
      ])
    #expect(
      StatisticsList.changeLines(now, since: before, milliseconds: 500) == [
        "     current_flows: +1", "     early_octets: +1000 (2000/s)",
      ])
  }

  @Test("What moves most stands first")
  func top() {
    let before = Samples.statistics([Samples.flow(port: 1), Samples.flow(port: 2)])
    let now = Samples.statistics([
      Samples.flow(port: 1, network: Samples.leg(delivered: 1024)),
      Samples.flow(port: 2, guest: Samples.leg("pass-through", delivered: 4096)),
    ])
    let lines = TopScreen.lines([(name: "a", now: now, before: before)], milliseconds: 1000, rows: 1)
    #expect(lines[0] == "2 connections of 1 NICs; transmit 1.0 KiB/s, receive 4.0 KiB/s")
    #expect(lines.count == 4 && lines[2].hasPrefix("NIC  GUEST") && lines[3].hasPrefix("a    10.0.2.15:2  "))
    #expect(lines[3].contains("accelerated/pass-through") && lines[3].contains("20 ms"))
  }

  @Test("Connections that begin, change and end are told once")
  func events() {
    var events = FlowEvents(Samples.statistics([Samples.flow(port: 1)]))
    let changed = Samples.flow(port: 1, network: Samples.leg("draining", reason: "policy"))
    #expect(events.look(Samples.statistics([Samples.flow(port: 1)])).isEmpty)
    #expect(
      events.look(Samples.statistics([changed, Samples.flow(port: 2)])).map(\.text) == [
        "transmit 10.0.2.15:1 [2001:db8::1]:443 draining reason:policy",
        "opened 10.0.2.15:2 [2001:db8::1]:443 by the guest",
      ])
    #expect(
      events.look(Samples.statistics([changed])).map(\.text) == [
        "closed 10.0.2.15:2 [2001:db8::1]:443 delivered 0 octets to the network, 0 to the guest"
      ])
  }

  @Test("Whatever an answer has is shown: words and numbers in columns, parts below")
  func tables() {
    let objects: [JSONValue] = [["name": "a", "pid": 5, "part": ["x": 1]], ["name": "bcd", "isLast": true]]
    #expect(TextTable.lines(objects: objects) == ["NAME  PID  ISLAST", "a     5    -", "bcd   -    yes"])
    let object: JSONValue = ["a": 1, "b": ["c": "d\u{1b}[2J"], "e": [1, 2], "f": [["g": 3]], "h": .null]
    #expect(
      TextTable.lines(object: object) == ["a: 1", "b:", "  c: d?[2J", "e: 1, 2", "f:", "  G", "  3", "h: -"])
    #expect(TextTable.line(["event": "x", "n": 1, "time": "t"]) == "t x n=1")
  }

  @Test(
    "What is not there is left out, and nothing stumbles over it",
    arguments: ["null", "{}", "[]", "{\"flows\": [1, {}]}"])
  func nothing(text: String) throws {
    let value = try JSONValue(parsing: text.utf8)
    _ = FlowList.lines(value, nil, nic: nil)
    _ = StatisticsList.lines(value)
    _ = TopScreen.lines([(name: "a", now: value, before: value)], milliseconds: 0, rows: 5)
    var events = FlowEvents(value)
    _ = events.look(value)
    _ = TextTable.lines(object: value)
  }
}
