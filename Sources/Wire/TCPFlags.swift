// SPDX-License-Identifier: Apache-2.0

/// The control bits of a TCP header (RFC 9293 §3.1), as they lie in the low bits of the 16-bit word that begins with the
/// data offset. The three bits between AE and the data offset are reserved; they are not among them.
public struct TCPFlags: OptionSet, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt16

  @inlinable
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  public static let fin = TCPFlags(rawValue: 0x001)
  public static let syn = TCPFlags(rawValue: 0x002)
  public static let rst = TCPFlags(rawValue: 0x004)
  public static let psh = TCPFlags(rawValue: 0x008)
  public static let ack = TCPFlags(rawValue: 0x010)
  public static let urg = TCPFlags(rawValue: 0x020)
  /// ECN-Echo, RFC 3168 §6.1.
  public static let ece = TCPFlags(rawValue: 0x040)
  /// Congestion Window Reduced, RFC 3168 §6.1.
  public static let cwr = TCPFlags(rawValue: 0x080)
  /// Accurate ECN, RFC 9768; the former NS of RFC 3540.
  public static let ae = TCPFlags(rawValue: 0x100)

  /// All nine.
  public static let all = TCPFlags(rawValue: 0x1ff)

  /// The nine bits of the word that begins with the data offset, host byte order.
  @inlinable
  public init(controlWord: UInt16) { rawValue = controlWord & 0x1ff }
}
