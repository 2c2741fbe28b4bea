// SPDX-License-Identifier: Apache-2.0

import ControlProtocol

/// Statistics as a NIC has them, in short.
enum Samples {
  static func leg(
    _ state: String = "accelerated", reason: String = "none", delivered: Int = 0, retransmissions: Int = 0
  ) -> JSONValue {
    [
      "state": .string(state), "reason": .string(reason), "congestion_phase": "open", "round_trip_us": 20_100,
      "round_trip_variation_us": 500, "minimum_round_trip_us": 19_870, "congestion_window": 14_480,
      "slow_start_threshold": .null, "segment_size": 1448, "in_flight": 3000, "window": 64_000, "held": 5000,
      "owned": 4000, "delivered": .integer(delivered), "segments": 0, "retransmissions": .integer(retransmissions),
    ]
  }

  static func flow(
    port: Int = 43_210, guest: JSONValue = leg(), network: JSONValue = leg(), flowClass: Int = 0
  ) -> JSONValue {
    [
      "guest": ["address": "10.0.2.15", "port": .integer(port)], "network": ["address": "2001:db8::1", "port": 443],
      "vlans": [7], "vni": .null, "phase": "established", "opener": "guest", "untouched": "none",
      "class": .integer(flowClass), "age_ms": 1000, "idle_ms": 20, "guest_leg": guest, "network_leg": network,
    ]
  }

  static func statistics(_ flows: [JSONValue], earlyOctets: Int = 5) -> JSONValue {
    [
      "current": ["flows": .integer(flows.count), "transmit_rate": .null],
      "counters": ["early_octets": .integer(earlyOctets)], "network_leg": ["retransmissions": 2],
      "histograms": ["network_round_trip_us": ["count": 3, "p50": 9, "p90": 10, "p99": 11, "buckets": []]],
      "classes": [["class": 2, "name": "bulk"]], "flows": .array(flows),
    ]
  }
}
