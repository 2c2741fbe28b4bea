// SPDX-License-Identifier: Apache-2.0

public import ControlProtocol

/// What happened to a NIC's connections between two looks at its statistics.
public struct FlowEvents {
  /// A connection and what became of it.
  public struct Event: Equatable, Sendable {
    /// `opened`, `closed`, `transmit` or `receive`: the last two are directions that are in another state.
    public let what: String
    public let flow: JSONValue
    /// The state and its reason.
    public let detail: String

    public var json: JSONValue {
      .object([
        .init("event", .string(what)), .init("guest", flow["guest"] ?? .null),
        .init("network", flow["network"] ?? .null),
        .init("detail", .string(detail)),
      ])
    }

    public var text: String { "\(what) \(FlowList.ends(flow))\(detail.isEmpty ? "" : " \(detail)")" }
  }

  private var known: [String: JSONValue]

  /// - Parameter statistics: what is known from the beginning, and no event.
  public init(_ statistics: JSONValue) { known = Self.flows(statistics) }

  /// What has happened since the last look, in the order of the statistics, ends first.
  public mutating func look(_ statistics: JSONValue) -> [Event] {
    let now = Self.flows(statistics)
    var events: [Event] = []
    for (ends, flow) in known.sorted(by: { $0.key < $1.key }) where now[ends] == nil {
      events.append(Event(what: "closed", flow: flow, detail: "delivered \(delivered(flow))"))
    }
    for flow in statistics.values("flows") {
      let ends = FlowList.ends(flow)
      guard let before = known[ends] else {
        events.append(Event(what: "opened", flow: flow, detail: "by the \(flow.text("opener"))"))
        continue
      }
      for (what, leg) in [("transmit", "network_leg"), ("receive", "guest_leg")] {
        let state = flow.text(leg, "state")
        guard state != before.text(leg, "state") else { continue }
        let reason = flow.text(leg, "reason")
        events.append(Event(what: what, flow: flow, detail: reason == "none" ? state : "\(state) reason:\(reason)"))
      }
    }
    known = now
    return events
  }

  private func delivered(_ flow: JSONValue) -> String {
    "\(flow.number("network_leg", "delivered")) octets to the network, \(flow.number("guest_leg", "delivered")) to the guest"
  }

  private static func flows(_ statistics: JSONValue) -> [String: JSONValue] {
    var flows: [String: JSONValue] = [:]
    for flow in statistics.values("flows") { flows[FlowList.ends(flow)] = flow }
    return flows
  }
}
