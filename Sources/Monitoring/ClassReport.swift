// SPDX-License-Identifier: Apache-2.0

/// What the connections of one class have come to, those that are over included (R18).
public struct ClassReport: Equatable, Sendable {
  /// By which policy numbers it.
  public let number: UInt8
  /// Printable ASCII.
  public let name: String
  /// Connections that were in it when they began.
  public let flows: UInt64
  /// Octets that the guest's end, and the network's, has acknowledged while they were in it.
  public let delivered: (guest: UInt64, network: UInt64)
  /// In the order of `LegCounter`.
  let guestCounters: [UInt64]
  let networkCounters: [UInt64]

  init(
    number: UInt8, name: String, flows: UInt64, delivered: (guest: UInt64, network: UInt64), guestCounters: [UInt64],
    networkCounters: [UInt64]
  ) {
    self.number = number
    self.name = name
    self.flows = flows
    self.delivered = delivered
    self.guestCounters = guestCounters
    self.networkCounters = networkCounters
  }

  public func total(_ counter: LegCounter, isNetwork: Bool) -> UInt64 {
    (isNetwork ? networkCounters : guestCounters)[counter.rawValue]
  }

  public static func == (left: ClassReport, right: ClassReport) -> Bool {
    left.number == right.number && left.name == right.name && left.flows == right.flows
      && left.delivered == right.delivered && left.guestCounters == right.guestCounters
      && left.networkCounters == right.networkCounters
  }
}
