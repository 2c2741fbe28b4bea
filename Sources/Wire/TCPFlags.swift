// SPDX-License-Identifier: Apache-2.0

/// The control bits of a TCP header (RFC 9293 §3.1), as they lie in the low bits of the 16-bit word that begins with the
/// data offset. The three bits between AE and the data offset are reserved; they are not among them.
public struct TCPFlags: OptionSet, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt16

  @inlinable
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  @inlinable
  public static var fin: TCPFlags { TCPFlags(rawValue: 0x001) }
  @inlinable
  public static var syn: TCPFlags { TCPFlags(rawValue: 0x002) }
  @inlinable
  public static var rst: TCPFlags { TCPFlags(rawValue: 0x004) }
  @inlinable
  public static var psh: TCPFlags { TCPFlags(rawValue: 0x008) }
  @inlinable
  public static var ack: TCPFlags { TCPFlags(rawValue: 0x010) }
  @inlinable
  public static var urg: TCPFlags { TCPFlags(rawValue: 0x020) }
  /// ECN-Echo, RFC 3168 §6.1.
  @inlinable
  public static var ece: TCPFlags { TCPFlags(rawValue: 0x040) }
  /// Congestion Window Reduced, RFC 3168 §6.1.
  @inlinable
  public static var cwr: TCPFlags { TCPFlags(rawValue: 0x080) }
  /// Accurate ECN, RFC 9768; the former NS of RFC 3540.
  @inlinable
  public static var ae: TCPFlags { TCPFlags(rawValue: 0x100) }

  /// All nine.
  @inlinable
  public static var all: TCPFlags { TCPFlags(rawValue: 0x1ff) }

  /// The nine bits of the word that begins with the data offset, host byte order.
  @inlinable
  public init(controlWord: UInt16) { rawValue = controlWord & 0x1ff }
}
