// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// What the module knows of a connection, for tools and tests (R14).
public struct FlowView: Sendable {
  public let key: FlowKey
  public let phase: FlowPhase
  public let passReason: PassReason
  /// That applies, by its number in the policy; of a life in phases, the one that it is in.
  public let configuration: UInt8
  public let transmit: SideView
  public let receive: SideView
  /// Seen and done on each leg.
  public let guestLeg: LegCounters
  public let networkLeg: LegCounters
  public let hasTimer: Bool
  /// ECN is spoken with the network's end in the guest's place, or offered so.
  public let bridgesECN: Bool
  public let lastSeen: Instant
}
