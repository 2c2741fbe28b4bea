// SPDX-License-Identifier: Apache-2.0

import Testing
import Timekeeping

@testable import Monitoring

@Suite struct PrintingTests {
  private static let now = Instant(nanoseconds: 8_000_000_000)

  private static func rig() -> MonitorRig {
    let rig = MonitorRig()
    rig.writer.update(flowCount: 1, heldChunks: 2, chunkLimit: 65536, chunkBytes: 4096, now: now)
    rig.writer.set(.flows, 3)
    rig.writer.record(.networkRoundTrip, 20_000)
    var report = MonitorRig.report(acknowledged: 1000)
    report.network[.retransmissions] = 2
    rig.writer.publish(report, at: 0)
    report.networkAcknowledged = 6000
    report.guest.state = 3
    report.guest.reason = 1
    rig.writer.publish(report, at: 0)
    return rig
  }

  @Test("The table has the VM, then two lines for each connection in the words of ss -i")
  func table() throws {
    let lines = try Self.rig().snapshot().text(isRunning: true, now: Self.now).split(separator: "\n").map(String.init)
    #expect(lines[0] == "vtcp-nic 4711, up 3.0 s: vtcp early, uplink tap:vm1, socket /run/vm1.sock")
    #expect(lines[1] == "1 connections of at most 4; 8.0 KiB of 256 MiB in buffers")
    #expect(lines[2].hasPrefix("flows:3 refused_flows:0 "))
    #expect(lines.contains("round trip, network          1     19 ms     19 ms     19 ms"))
    #expect(
      lines.suffix(3) == [
        "10.0.2.15:43210 93.184.216.34:443 established, opened by guest, age 1.0 s, idle 1.0 s",
        "  guest   draining reason:buffer-full",
        "  network accelerated rtt:20.1/0.5 minrtt:19.87 mss:1448 cwnd:10 ssthresh:7 bytes_acked:5000 unacked:3 "
          + "snd_wnd:64000 held:5000 owned:4000 retrans:2",
      ])
  }

  @Test("The JSON keeps its names")
  func json() throws {
    let json = try Self.rig().snapshot().json(isRunning: true, now: Self.now)
    let flow =
      #"{"guest": {"address": "10.0.2.15", "port": 43210}, "network": {"address": "93.184.216.34", "port": 443}, "#
      + #""vlans": [], "vni": null, "phase": "established", "opener": "guest", "untouched": "none", "#
      + #""configuration": 0, "class": 0, "age_ms": 1000, "idle_ms": 1000, "guest_leg": {"state": "draining", "#
    #expect(json.contains(flow))
    let leg =
      #""network_leg": {"state": "accelerated", "reason": "none", "congestion_phase": "open", "#
      + #""round_trip_us": 20100, "round_trip_variation_us": 500, "minimum_round_trip_us": 19870, "#
      + #""congestion_window": 14480, "slow_start_threshold": 10136, "segment_size": 1448, "in_flight": 3000, "#
      + #""window": 64000, "held": 5000, "owned": 4000, "delivered": 5000, "segments": 0, "duplicates": 0, "#
      + #""out_of_order": 0, "duplicate_acknowledgments": 0, "zero_windows": 0, "retransmissions": 2, "#
      + #""timeouts": 0, "early_acknowledgments": 0, "swallowed_acknowledgments": 0}}"#
    #expect(json.contains(leg))
    let process =
      #"{"version": 1, "process": {"pid": 4711, "running": true, "uptime_ms": 3000, "mode": "early", "#
      + #""uplink": "tap:vm1", "socket": "/run/vm1.sock"}, "current": {"flows": 1, "flow_limit": 4, "#
      + #""held_octets": 8192, "held_octets_limit": 268435456, "transmit_rate": null, "receive_rate": null}, "counters": {"flows": 3, "#
    #expect(json.hasPrefix(process))
    #expect(
      json.contains(
        #""network_round_trip_us": {"count": 1, "sum": 20000, "p50": 19455, "p90": 19455, "p99": 19455, "buckets": [[18432, 1]]}"#
      ))
  }

  @Test("IPv6 addresses are written as RFC 5952 has it")
  func addresses() {
    func text(_ high: UInt64, _ low: UInt64) -> String { AddressText.address(high: high, low: low, ipVersion: 6) }
    #expect(text(0x2001_0db8_0000_0000, 1) == "2001:db8::1")
    #expect(text(0, 0) == "::")
    #expect(text(0, 1) == "::1")
    #expect(text(0x2001_0db8_0000_0001, 0x0001_0001_0001_0001) == "2001:db8:0:1:1:1:1:1")
    #expect(text(0x2001_0000_0000_0001, 0x0000_0000_0000_0001) == "2001:0:0:1::1")
    #expect(text(0x2001_0db8_0000_0000, 0x0001_0000_0000_0001) == "2001:db8::1:0:0:1")
    #expect(text(0xfe80_0000_0000_0000, 0x1234_0000_0000_0000) == "fe80::1234:0:0:0")
    #expect(AddressText.endpoint(high: 0, low: 1, port: 80, ipVersion: 6) == "[::1]:80")
    #expect(AddressText.endpoint(high: 0, low: 0x7f00_0001, port: 80, ipVersion: 4) == "127.0.0.1:80")
  }

  @Test("Spans and sizes are short numbers with a unit")
  func numbers() {
    #expect(
      [0, 999, 1000, 9999, 10_000, 999_999].map { NumberText.span(microseconds: $0) } == [
        "0 us", "999 us", "1.0 ms", "9.9 ms", "10 ms", "999 ms",
      ])
    #expect(
      [1_000_000, 599_999_999, 600_000_000, 36_000_000_000, 864_000_000_000].map { NumberText.span(microseconds: $0) }
        == [
          "1.0 s", "599 s", "10 min", "10 h", "10 d",
        ])
    #expect(
      [0, 1023, 1024, 10 << 20, 3 << 30].map { NumberText.octets($0) } == [
        "0 B", "1023 B", "1.0 KiB", "10 MiB", "3.0 GiB",
      ])
    #expect(
      [0, 1, 20, 300, 1000, 1234, 20_100].map { NumberText.milliseconds($0) } == [
        "0", "0.001", "0.02", "0.3", "1", "1.234", "20.1",
      ])
  }
}
