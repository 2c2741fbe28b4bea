// SPDX-License-Identifier: Apache-2.0

/// What can be wrong with text that names something on the wire. Bytes from a peer never throw: they parse or they do not.
public enum WireError: Error, Equatable, CustomStringConvertible {
  /// A MAC address has six fields separated by colons; the text had this many.
  case macAddressFieldCount(Int)
  /// A field of a MAC address is two hexadecimal digits; this one, counted from 0, is not.
  case macAddressField(index: Int, text: String)

  public var description: String {
    switch self {
    case .macAddressFieldCount(let count):
      "a MAC address has 6 fields separated by ':' (52:54:00:12:34:56), not \(count)"
    case .macAddressField(let index, let text):
      "field \(index + 1) of the MAC address is '\(text)', not two hexadecimal digits"
    }
  }
}
