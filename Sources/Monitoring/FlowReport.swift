// SPDX-License-Identifier: Apache-2.0

/// One connection, as it lies in memory: 248 bytes; any bytes are one, so a reader believes nothing of it.
public struct FlowReport: BitwiseCopyable, Sendable {
  /// Numbers whose most significant octet is the first on the wire; an IPv4 address is the low 32 bits of `low`.
  public var guestAddressHigh: UInt64 = 0
  public var guestAddressLow: UInt64 = 0
  public var networkAddressHigh: UInt64 = 0
  public var networkAddressLow: UInt64 = 0
  /// When it was seen last; nanoseconds of CLOCK_MONOTONIC.
  public var lastSeen: UInt64 = 0
  /// When it was seen first; seconds since the process started.
  public var began: UInt32 = 0
  /// The VXLAN network identifier plus one; 0: none.
  public var virtualNetwork: UInt32 = 0
  /// Identifiers of the outer and inner VLAN tag, 12 bits each; above them the number of tags.
  public var vlan: UInt32 = 0
  public var guestPort: UInt16 = 0
  public var networkPort: UInt16 = 0
  /// 0: there is no connection here; else a place in `MonitorWords.phases`, plus one.
  public var phase: UInt8 = 0
  /// Why it is never touched: place in `MonitorWords.passReasons`.
  public var passReason: UInt8 = 0
  /// 4 or 6.
  public var ipVersion: UInt8 = 0
  /// Who sent the first SYN: 0 the guest, 1 the network.
  public var opener: UInt8 = 0
  /// Numbers of the configuration and of the class that policy gave it.
  public var configuration: UInt8 = 0
  public var classNumber: UInt8 = 0
  private var unused: UInt16 = 0
  /// Up to where each end has acknowledged, so that the next report can tell by how much `delivered` grew.
  public var guestAcknowledged: UInt32 = 0
  public var networkAcknowledged: UInt32 = 0
  /// Towards the guest, and towards the network.
  public var guest = LegReport()
  public var network = LegReport()

  public init() {}
}
