// SPDX-License-Identifier: Apache-2.0

public import Memory
public import Wire

/// The hop-by-hop header of a jumbogram (RFC 2675 §2), which Linux 5.19 to 6.19 puts before a TCP segment of more than 65,535 bytes that
/// is to be cut. No packet on the link is that long, so it must not be repeated.
public enum JumboPayload {
  /// Next header, length, and the one option: bytes.
  public static let headerLength = 8
  private static let option: UInt16 = 0xc204

  /// Takes such a header out of the frame that begins with `head`, if it is one of IPv6 whose payload length is 0 and whose first
  /// extension header is this and nothing else. What comes behind it moves to the front; the payload length is set where it fits.
  ///
  /// What the option says is not looked at: the frame is as long as it is.
  /// - Parameters:
  ///   - head: a private copy of the frame's first bytes, which is `headerLength` shorter afterwards.
  ///   - frameLength: as it was before.
  /// - Returns: whether it was taken out.
  public static func remove(from head: ByteRegion, _ layout: FrameLayout, frameLength: Int) -> Bool {
    let network = layout.networkOffset
    let start = network &+ 40
    guard layout.ipVersion == 6, layout.hasExtensionHeaders, head.count >= start + headerLength,
      frameLength >= head.count
    else { return false }
    guard head.load(UInt8.self, at: network + 6) == IPProtocol.hopByHopOptions,
      head.networkOrder(UInt16.self, at: network + 4) == 0, head.load(UInt8.self, at: start + 1) == 0,
      head.networkOrder(UInt16.self, at: start + 2) == option
    else { return false }
    head.store(head.load(UInt8.self, at: start), at: network + 6)
    head.copy(from: head.suffix(from: start + headerLength), at: start)
    let payload = frameLength &- headerLength &- start
    head.storeNetworkOrder(UInt16(exactly: payload) ?? 0, at: network + 4)
    return true
  }
}
