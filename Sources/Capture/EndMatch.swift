// SPDX-License-Identifier: Apache-2.0

import Memory
import Wire

/// What one end of a packet has to be: an address, a port, or both.
public struct EndMatch: BitwiseCopyable, Equatable, Sendable {
  /// 4 or 6; 0: any address.
  public let ipVersion: UInt8
  let addressHigh: UInt64
  let addressLow: UInt64
  /// Nil: any, or none.
  public let port: UInt16?

  /// - Parameters: as those of `Endpoint`.
  public init(ipVersion: UInt8, addressHigh: UInt64, addressLow: UInt64, port: UInt16? = nil) {
    self.ipVersion = ipVersion
    self.addressHigh = addressHigh
    self.addressLow = addressLow
    self.port = port
  }

  public init(port: UInt16) {
    self.init(ipVersion: 0, addressHigh: 0, addressLow: 0, port: port)
  }

  /// Whether it is the end that the packet came from, or goes to.
  func matches(_ head: ByteRegion, _ layout: FrameLayout) -> Bool {
    for isSource in [true, false] where matches(head, layout, isSource: isSource) { return true }
    return false
  }

  private func matches(_ head: ByteRegion, _ layout: FrameLayout, isSource: Bool) -> Bool {
    if let port {
      guard layout.hasTransportHeader else { return false }
      let found: UInt16 = head.networkOrder(at: layout.transportOffset &+ (isSource ? 0 : 2))
      guard found == port else { return false }
    }
    guard ipVersion != 0 else { return true }
    guard ipVersion == layout.ipVersion else { return false }
    // A whole IP header is there (`FrameLayout.ipVersion`).
    if ipVersion == 4 {
      let found: UInt32 = head.networkOrder(at: layout.networkOffset &+ (isSource ? 12 : 16))
      return UInt64(found) == addressLow
    }
    let place = layout.networkOffset &+ (isSource ? 8 : 24)
    return head.networkOrder(UInt64.self, at: place) == addressHigh
      && head.networkOrder(UInt64.self, at: place &+ 8) == addressLow
  }
}
