// SPDX-License-Identifier: Apache-2.0

public import ControlProtocol
import Monitoring

/// The connections that move most, as a screen of text.
public enum TopScreen {
  private struct Row {
    let flow: JSONValue
    let nic: String
    /// Octets a second, to the network and to the guest.
    let transmit: Int
    let receive: Int
  }

  private static let titles = [
    "NIC", "GUEST", "NETWORK", "STATE", "TX/s", "RX/s", "RTT NET", "RTT GUEST", "HELD", "RETRANS",
  ]

  /// - Parameters:
  ///   - nics: each NIC's name, its statistics now and those of before.
  ///   - milliseconds: between the two.
  ///   - rows: the most that are shown.
  public static func lines(
    _ nics: [(name: String, now: JSONValue, before: JSONValue)], milliseconds: Int, rows: Int
  ) -> [String] {
    var found: [Row] = []
    for nic in nics {
      var known: [String: JSONValue] = [:]
      for flow in nic.before.values("flows") { known[FlowList.ends(flow)] = flow }
      for flow in nic.now.values("flows") {
        let before = known[FlowList.ends(flow)]
        func rate(_ leg: String) -> Int {
          let change = flow.number(leg, "delivered") - (before?.number(leg, "delivered") ?? 0)
          return Int(Double(max(0, change)) * 1000 / Double(max(1, milliseconds)))
        }
        found.append(
          Row(flow: flow, nic: nic.name, transmit: rate("network_leg"), receive: rate("guest_leg")))
      }
    }
    found.sort { $0.transmit + $0.receive > $1.transmit + $1.receive }
    let sums = found.reduce((0, 0)) { ($0.0 + $1.transmit, $0.1 + $1.receive) }
    let head =
      "\(found.count) connections of \(nics.count) NICs; transmit \(NumberText.octets(sums.0))/s, receive \(NumberText.octets(sums.1))/s"
    return [head, ""] + TextTable.lines([titles] + found.prefix(rows).map(columns))
  }

  private static func columns(_ row: Row) -> [String] {
    let flow = row.flow
    let states = [flow.text("network_leg", "state"), flow.text("guest_leg", "state")]
    return [
      row.nic, FlowList.endpoint(flow, "guest"), FlowList.endpoint(flow, "network"),
      states[0] == states[1] ? states[0] : "\(states[0])/\(states[1])",
      NumberText.octets(row.transmit), NumberText.octets(row.receive),
      time(flow["network_leg"]), time(flow["guest_leg"]),
      NumberText.octets(flow.number("network_leg", "held") + flow.number("guest_leg", "held")),
      "\(flow.number("network_leg", "retransmissions") + flow.number("guest_leg", "retransmissions"))",
    ]
  }

  private static func time(_ leg: JSONValue?) -> String {
    let value = leg?.optionalNumber("round_trip_us") ?? leg?.optionalNumber("minimum_round_trip_us")
    return value.map { NumberText.span(microseconds: $0) } ?? "-"
  }
}
