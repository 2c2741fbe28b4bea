// SPDX-License-Identifier: Apache-2.0

public import ControlProtocol
import Monitoring

/// The connections of a NIC as text: a line for each, and one for each of its legs in the words of `ss -i`.
public enum FlowList {
  /// Counters of a leg that are said, and as what.
  private static let counters = [
    ("segments", "data_segs_in"), ("duplicates", "dup_segs_in"), ("out_of_order", "ooo_segs_in"),
    ("duplicate_acknowledgments", "dupacks"), ("zero_windows", "zero_windows"), ("retransmissions", "retrans"),
    ("timeouts", "timeouts"), ("early_acknowledgments", "early_acks"),
    ("swallowed_acknowledgments", "swallowed_acks"),
  ]

  /// - Parameters:
  ///   - statistics: of a NIC.
  ///   - selector: which connections; nil: all.
  ///   - nic: its name, if there are several.
  public static func lines(_ statistics: JSONValue, _ selector: FlowSelector?, nic: String?) -> [String] {
    flows(statistics, selector).flatMap { flow in
      [head(flow, statistics, nic: nic)]
        + ["guest", "network"].map { name in
          "  " + NumberText.left(name, 8) + leg(flow["\(name)_leg"] ?? .null)
        }
    }
  }

  /// Those that are meant, as they came.
  public static func flows(_ statistics: JSONValue, _ selector: FlowSelector?) -> [JSONValue] {
    statistics.values("flows").filter { selector?.matches($0) ?? true }
  }

  /// Both ends of a connection: the guest's, then the network's.
  public static func ends(_ flow: JSONValue) -> String { "\(endpoint(flow, "guest")) \(endpoint(flow, "network"))" }

  static func endpoint(_ flow: JSONValue, _ name: String) -> String {
    let address = flow.text(name, "address")
    return "\(address.contains(":") ? "[\(address)]" : address):\(flow.number(name, "port"))"
  }

  private static func head(_ flow: JSONValue, _ statistics: JSONValue, nic: String?) -> String {
    var facts = [flow.text("phase")]
    if flow.text("untouched") != "none" { facts.append("untouched:\(flow.text("untouched"))") }
    let vlans = flow.values("vlans").map { "\($0.integer ?? 0)" }
    if !vlans.isEmpty { facts.append("vlan:\(vlans.joined(separator: "."))") }
    if let vni = flow.optionalNumber("vni") { facts.append("vni:\(vni)") }
    if flow.number("class") != 0 {
      let name = statistics.values("classes").first { $0.number("class") == flow.number("class") }?.text("name")
      facts.append("class:\(name ?? "\(flow.number("class"))")")
    }
    facts.append("opener:\(flow.text("opener"))")
    facts.append("age:\(span(flow.number("age_ms")))")
    facts.append("idle:\(span(flow.number("idle_ms")))")
    return (nic.map { "\($0) " } ?? "") + "\(ends(flow)) \(facts.joined(separator: " "))"
  }

  private static func span(_ milliseconds: Int) -> String {
    NumberText.span(microseconds: milliseconds.multipliedReportingOverflow(by: 1000).partialValue)
      .replacing(" ", with: "")
  }

  /// Words and numbers, those of 0 left out as `ss` does.
  static func leg(_ leg: JSONValue) -> String {
    var words = [leg.text("state")]
    if leg.text("reason") != "none" { words.append("reason:\(leg.text("reason"))") }
    if leg.text("congestion_phase") != "open" { words.append("ca_state:\(leg.text("congestion_phase"))") }
    if leg.number("round_trip_us") > 0 {
      words.append("rtt:\(milliseconds(leg, "round_trip_us"))/\(milliseconds(leg, "round_trip_variation_us"))")
    }
    if leg.number("minimum_round_trip_us") > 0 { words.append("minrtt:\(milliseconds(leg, "minimum_round_trip_us"))") }
    let size = max(1, leg.number("segment_size"))
    var numbers = [
      ("mss", leg.number("segment_size")), ("cwnd", leg.number("congestion_window") / size),
      ("ssthresh", leg.number("slow_start_threshold") / size), ("bytes_acked", leg.number("delivered")),
      ("unacked", leg.number("in_flight") / size + (leg.number("in_flight") % size > 0 ? 1 : 0)),
      ("snd_wnd", leg.number("window")), ("held", leg.number("held")), ("owned", leg.number("owned")),
    ]
    numbers += counters.map { ($0.1, leg.number($0.0)) }
    words += numbers.filter { $0.1 != 0 }.map { "\($0.0):\($0.1)" }
    return words.joined(separator: " ")
  }

  private static func milliseconds(_ leg: JSONValue, _ name: String) -> String {
    NumberText.milliseconds(UInt32(clamping: leg.number(name)))
  }
}
