// SPDX-License-Identifier: Apache-2.0

/// An IPv6 extension header of a test frame.
public enum ExtensionHeader: Equatable, Sendable {
  /// `units`: of eight bytes, the first included.
  case hopByHop(units: Int)
  case destinationOptions(units: Int)
  case routing(type: UInt8, segmentsLeft: UInt8, addresses: Int)
  /// `offset` in units of eight bytes.
  case fragment(offset: UInt16, more: Bool)

  public var number: UInt8 {
    switch self {
    case .hopByHop: 0
    case .routing: 43
    case .fragment: 44
    case .destinationOptions: 60
    }
  }

  public var length: Int {
    switch self {
    case .hopByHop(let units), .destinationOptions(let units): units * 8
    case .routing(_, _, let addresses): 8 + addresses * 16
    case .fragment: 8
    }
  }

  func encode(next: UInt8) -> [UInt8] {
    switch self {
    case .hopByHop, .destinationOptions:
      // One PadN option over all of it, RFC 8200 §4.2.
      return [next, UInt8(length / 8 - 1), 1, UInt8(min(length - 4, 255))] + [UInt8](repeating: 0, count: length - 4)
    case .routing(let type, let segmentsLeft, let addresses):
      let route = (0..<addresses).flatMap { Self.address($0) }
      return [next, UInt8(length / 8 - 1), type, segmentsLeft, 0, 0, 0, 0] + route
    case .fragment(let offset, let more):
      let field = offset << 3 | (more ? 1 : 0)
      return [next, 0, UInt8(field >> 8), UInt8(field & 0xff), 0xca, 0xfe, 0xba, 0xbe]
    }
  }

  /// The `index`th address of a route.
  static func address(_ index: Int) -> [UInt8] {
    [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: UInt8(0xa0 + index), count: 12)
  }

  /// The address that the pseudo-header takes as destination, if this header names it.
  var finalDestination: [UInt8]? {
    guard case .routing(let type, let segmentsLeft, let addresses) = self, segmentsLeft > 0 else { return nil }
    return Self.address(type == 4 ? 0 : addresses - 1)
  }
}
