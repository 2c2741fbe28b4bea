// SPDX-License-Identifier: Apache-2.0

public import Memory

/// Changes fields of an IP header where it lies. IPv4's checksum is brought up to date at once (RFC 1624 §3): one that was right stays right,
/// one that was wrong stays wrong. TCP's does not cover what is changed here.
public struct NetworkHeaderPatch: Sendable {
  private let head: ByteRegion
  private let header: Int
  private let isIPv4: Bool

  /// - Parameters:
  ///   - head: the private copy of the frame's first bytes from which `layout` was parsed, with a whole TCP segment's headers.
  public init(_ head: ByteRegion, _ layout: FrameLayout) {
    self.head = head
    header = layout.networkOffset
    isIPv4 = layout.ipVersion == 4
  }

  /// The two bits of ECN (RFC 3168 §5): the low ones of the second byte (IPv4), or of the traffic class, four bits higher (IPv6).
  public func setECN(_ codepoint: ECNCodepoint) {
    let shift: UInt16 = isIPv4 ? 0 : 4
    let old: UInt16 = head.networkOrder(at: header)
    let new = old & ~(UInt16(ECNCodepoint.mask) &<< shift) | UInt16(codepoint.rawValue) &<< shift
    guard new != old else { return }
    head.storeNetworkOrder(new, at: header)
    guard isIPv4 else { return }
    let checksum: UInt16 = head.networkOrder(at: header &+ 10)
    head.storeNetworkOrder(InternetChecksum.update(checksum, replacing: old, with: new), at: header &+ 10)
  }
}
