// SPDX-License-Identifier: Apache-2.0

public import Memory
public import Wire

/// Which frames are wanted: those that fit all that is said.
public struct CaptureFilter: Equatable, Sendable {
  /// More is not asked for of one packet.
  public static let mostEnds = 4

  /// Nil: both.
  public var interface: CapturePoint.Interface?
  /// Each is one of the packet's two.
  public var ends: [EndMatch] = []
  /// The EtherType behind VLAN tags.
  public var etherType: UInt16?
  /// The protocol over IP, of either version.
  public var transportProtocols: [UInt8] = []

  public init() {}

  /// - Parameter head: the frame's first bytes, from which `layout` was parsed.
  public func matches(_ point: CapturePoint, _ head: ByteRegion, _ layout: FrameLayout?) -> Bool {
    if let interface, interface != point.interface { return false }
    if ends.isEmpty, etherType == nil, transportProtocols.isEmpty { return true }
    guard let layout else { return false }
    if let etherType, layout.etherType != etherType { return false }
    if !transportProtocols.isEmpty {
      guard layout.ipVersion != 0, transportProtocols.contains(layout.transportProtocol) else { return false }
    }
    guard ends.isEmpty || layout.ipVersion != 0 else { return false }
    return ends.allSatisfy { $0.matches(head, layout) }
  }
}
