// SPDX-License-Identifier: Apache-2.0

/// What is kept as a distribution, for the VM as a whole. The raw value is the place.
public enum MonitorHistogram: Int, CaseIterable, Sendable {
  /// Round trips on a leg, microseconds: those that the retransmission timer is set by (RFC 6298), and of data that pass without being
  /// held one run at a time.
  case networkRoundTrip
  case guestRoundTrip
  /// For how long data were acknowledged by us and not by the receiver, microseconds: one sample at a time for each direction.
  /// Transmit is what the guest sends.
  case transmitLead
  case receiveLead
  /// From the discovery of a loss until all that was in flight then is acknowledged, microseconds.
  case networkRecovery
  case guestRecovery
  /// Octets that a connection's buffer holds right after a segment was put into it.
  case transmitHeld
  case receiveHeld

  /// In JSON; the unit is its end.
  var name: String {
    switch self {
    case .networkRoundTrip: "network_round_trip_us"
    case .guestRoundTrip: "guest_round_trip_us"
    case .transmitLead: "transmit_lead_us"
    case .receiveLead: "receive_lead_us"
    case .networkRecovery: "network_recovery_us"
    case .guestRecovery: "guest_recovery_us"
    case .transmitHeld: "transmit_held_octets"
    case .receiveHeld: "receive_held_octets"
    }
  }

  var title: String {
    switch self {
    case .networkRoundTrip: "round trip, network"
    case .guestRoundTrip: "round trip, guest"
    case .transmitLead: "early by, transmit"
    case .receiveLead: "early by, receive"
    case .networkRecovery: "recovery, network"
    case .guestRecovery: "recovery, guest"
    case .transmitHeld: "held, transmit"
    case .receiveHeld: "held, receive"
    }
  }

  /// Microseconds; else octets.
  var isTime: Bool { self != .transmitHeld && self != .receiveHeld }
}
