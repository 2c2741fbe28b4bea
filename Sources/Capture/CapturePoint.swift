// SPDX-License-Identifier: Apache-2.0

/// Where a frame was seen, and which way it went.
public struct CapturePoint: BitwiseCopyable, Equatable, Sendable {
  /// The numbers are those of the interfaces in the file.
  public enum Interface: UInt32, BitwiseCopyable, CaseIterable, Sendable {
    /// The guest's leg: what goes through the rings.
    case guest = 0
    /// The network's leg: what goes through the uplink.
    case network = 1

    /// if_name.
    public var name: String { self == .guest ? "guest" : "network" }
    /// if_description.
    var meaning: String {
      self == .guest ? "between the guest and the NIC: its rings" : "between the NIC and the network: its uplink"
    }
  }

  /// As epb_flags has it (bits 0 and 1).
  public enum Direction: UInt32, BitwiseCopyable, Sendable {
    /// It came to the NIC.
    case inbound = 1
    /// It leaves the NIC.
    case outbound = 2
  }

  public let interface: Interface
  public let direction: Direction

  public init(_ interface: Interface, _ direction: Direction) {
    self.interface = interface
    self.direction = direction
  }
}
