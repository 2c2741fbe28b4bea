// SPDX-License-Identifier: Apache-2.0

/// What happened in the module as a whole. The raw value is the place; names are those of the JSON. New ones go to the end:
/// a reader that does not know them does without, and what a writer does not have reads as 0.
public enum MonitorCounter: Int, CaseIterable, Sendable {
  case flows
  case refusedFlows
  case untouchableFlows
  case earlyOctets
  case accelerations
  case drains
  case implausible
  case badChecksums
  case droppedSegments
  case lostOctets
  case resets
  case storedSegments
  case narrowedPaths
  case stalls
  case transmitShaped
  case receiveShaped
  case transmitCharged
  case receiveCharged
  case shaperWaits

  var name: String {
    switch self {
    case .flows: "flows"
    case .refusedFlows: "refused_flows"
    case .untouchableFlows: "untouchable_flows"
    case .earlyOctets: "early_octets"
    case .accelerations: "accelerations"
    case .drains: "drains"
    case .implausible: "implausible"
    case .badChecksums: "bad_checksums"
    case .droppedSegments: "dropped_segments"
    case .lostOctets: "lost_octets"
    case .resets: "resets"
    case .storedSegments: "stored_segments"
    case .narrowedPaths: "narrowed_paths"
    case .stalls: "guest_stalls"
    case .transmitShaped: "transmit_shaped_octets"
    case .receiveShaped: "receive_shaped_octets"
    case .transmitCharged: "transmit_charged_octets"
    case .receiveCharged: "receive_charged_octets"
    case .shaperWaits: "shaper_waits"
    }
  }
}
