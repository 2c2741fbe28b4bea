// SPDX-License-Identifier: Apache-2.0

import Memory

extension FrameLayout {
  /// RFC 8200 §3 and §4.
  @inline(never)
  mutating func parseIPv6(_ bytes: ByteRegion) {
    let start = networkOffset
    guard bytes.count &- start >= 40, bytes.load(UInt8.self, at: start) &>> 4 == 6 else { return }
    ipVersion = 6
    finalDestination = network &+ 24
    transportProtocol = bytes.load(at: start + 6)
    var offset = start + 40
    for _ in 0...Self.maximumExtensionHeaders {
      guard Self.isExtensionHeader(transportProtocol) else {
        transport = UInt16(truncatingIfNeeded: offset)
        return parseTransport(bytes, at: offset, transportProtocol)
      }
      hasExtensionHeaders = true
      let length = extensionHeaderLength(bytes, at: offset)
      guard length > 0 else { return }
      if transportProtocol == IPProtocol.fragment {
        // Fragment offset and M flag; the two bits between are reserved.
        isFragment = bytes.networkOrder(UInt16.self, at: offset + 2) & 0xfff9 != 0
      } else if transportProtocol == IPProtocol.routing {
        findFinalDestination(bytes, routingHeader: offset, length: length)
      }
      transportProtocol = bytes.load(at: offset)
      offset += length
      // What follows in the first fragment is cut off from the other fragments: all are treated as the others are.
      guard !isFragment else {
        transport = UInt16(truncatingIfNeeded: offset)
        return
      }
    }
  }

  private static func isExtensionHeader(_ number: UInt8) -> Bool {
    number == IPProtocol.hopByHopOptions || number == IPProtocol.routing || number == IPProtocol.fragment
      || number == IPProtocol.destinationOptions
  }

  /// 0 where the header is not wholly there.
  private func extensionHeaderLength(_ bytes: ByteRegion, at offset: Int) -> Int {
    guard bytes.count &- offset >= 8 else { return 0 }
    // The fragment header has a reserved byte where the others have a length in units of eight bytes, less one.
    guard transportProtocol != IPProtocol.fragment else { return 8 }
    let length = (Int(bytes.load(UInt8.self, at: offset + 1)) &+ 1) &* 8
    return length <= bytes.count &- offset ? length : 0
  }

  /// The last address of the route is the final destination while the packet is under way (RFC 8200 §8.1).
  private mutating func findFinalDestination(_ bytes: ByteRegion, routingHeader offset: Int, length: Int) {
    let type: UInt8 = bytes.load(at: offset + 2)
    let segmentsLeft: UInt8 = bytes.load(at: offset + 3)
    guard segmentsLeft > 0 else { return }
    let addresses = (length - 8) / 16
    finalDestination = 0
    guard addresses > 0 else { return }
    switch type {
    case 0, 2:
      // RFC 2460 §4.4 and RFC 6275 §6.4: in the order of travel.
      finalDestination = UInt16(truncatingIfNeeded: offset + 8 + (addresses - 1) * 16)
    case 4:
      // RFC 8754 §2: in the reverse order.
      finalDestination = UInt16(truncatingIfNeeded: offset + 8)
    default:
      return
    }
  }
}
