// SPDX-License-Identifier: Apache-2.0

public import Memory

/// A hash of a frame's flow that is the same in both directions.
///
/// Over the addresses, the protocol and, for whole TCP and UDP packets, the ports. All fragments of a packet hash
/// alike, without ports, as only the first of them has any. Frames that are not IP hash over both MAC addresses.
///
/// The seed is drawn at start: a guest chooses its addresses and ports and shall not choose its bucket. Each end is
/// mixed by itself and the two are added, which is what makes the hash symmetric. Not a cryptographic hash.
public struct FlowHash: BitwiseCopyable, Sendable {
  // Odd, random, without meaning.
  private static let first: UInt64 = 0x9d6e_1f5b_7a3c_84e7
  private static let second: UInt64 = 0xc3a5_44d9_0e6b_f21d

  private let seed: UInt64
  private let secondSeed: UInt64

  public init(seed: UInt64) {
    self.seed = seed ^ Self.first
    secondSeed = Self.mix(seed ^ Self.second, Self.first) ^ Self.second
  }

  /// The hash of the frame that starts with `headers`, from which `layout` was parsed.
  public func callAsFunction(_ layout: FrameLayout, _ headers: ByteRegion) -> UInt32 {
    let network = layout.networkOffset
    switch layout.ipVersion {
    case 4:
      let ports = ports(layout, headers)
      let source: UInt32 = headers.load(at: network + 12)
      let destination: UInt32 = headers.load(at: network + 16)
      return combine(
        end(UInt64(source) &<< 16 | UInt64(ports.source)),
        end(UInt64(destination) &<< 16 | UInt64(ports.destination)), layout.transportProtocol)
    case 6:
      let ports = ports(layout, headers)
      return combine(
        end(addressAt: network + 8, port: ports.source, headers),
        end(addressAt: network + 24, port: ports.destination, headers), layout.transportProtocol)
    default:
      let destination = MACAddress(decoding: headers, at: 0)
      let source = MACAddress(decoding: headers, at: MACAddress.length)
      return combine(end(source.rawValue), end(destination.rawValue), 0)
    }
  }

  /// In memory byte order; 0 where the frame has no whole TCP or UDP header.
  @inline(__always)
  private func ports(_ layout: FrameLayout, _ headers: ByteRegion) -> (source: UInt16, destination: UInt16) {
    guard layout.hasTransportHeader else { return (0, 0) }
    return (headers.load(at: layout.transportOffset), headers.load(at: layout.transportOffset + 2))
  }

  @inline(__always)
  private func end(_ value: UInt64) -> UInt64 {
    Self.mix(value ^ seed, secondSeed)
  }

  @inline(__always)
  private func end(addressAt offset: Int, port: UInt16, _ headers: ByteRegion) -> UInt64 {
    let high: UInt64 = headers.load(at: offset)
    let low: UInt64 = headers.load(at: offset + 8)
    return Self.mix(Self.mix(high ^ seed, low ^ secondSeed) ^ UInt64(port), secondSeed)
  }

  @inline(__always)
  private func combine(_ one: UInt64, _ other: UInt64, _ transportProtocol: UInt8) -> UInt32 {
    let mixed = Self.mix((one &+ other) ^ seed, secondSeed ^ UInt64(transportProtocol))
    return UInt32(truncatingIfNeeded: mixed ^ (mixed &>> 32))
  }

  /// The two halves of the 128-bit product, exclusive-or'ed.
  @inline(__always)
  private static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}
