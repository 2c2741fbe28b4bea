// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import TCPPolicy
import Wire

/// Rules and connections whose fields are of few values, so that they meet.
struct RandomPolicy {
  var random: SplitMix64

  private let ports: [UInt16] = [0, 1, 80, 443, 10_000, 65_534, 65_535]
  private let words: [UInt64] = [0, 1, 0x0a01_0101, 0x0a01_0102, 0x0a02_0202, 0x8000_0000, 0xffff_ffff]
  private let identifiers: [UInt32] = [0, 1, 2, 4094]
  private let networks: [UInt32] = [0, 1, 33_902, 0xff_ffff]

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
  }

  private mutating func any<Value>(of values: [Value]) -> Value {
    values[Int.random(in: 0..<values.count, using: &random)]
  }

  private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

  private mutating func address(_ version: UInt8) -> (high: UInt64, low: UInt64) {
    guard version == 6 else { return (0, any(of: words)) }
    return (any(of: words) << 32 | any(of: words), any(of: words) << 32 | any(of: words))
  }

  private mutating func identifier(_ values: [UInt32], wild: Int) -> IdentifierMatch {
    if chance(wild) { return .any }
    return chance(25) ? .absent : .equal(any(of: values))
  }

  private mutating func end(_ version: UInt8, wild: Int) -> EndpointMatch {
    var match = EndpointMatch()
    if !chance(wild) {
      let limit: UInt8 = version == 4 ? 32 : 128
      let length = chance(30) ? any(of: [0, limit / 2, limit]) : UInt8.random(in: 0...limit, using: &random)
      let address = address(version)
      match.prefix = Self.prefix(address.high, address.low, length: length, version)
    }
    if !chance(wild) {
      let range = [any(of: ports), any(of: ports)].sorted()
      (match.firstPort, match.lastPort) = (range[0], range[1])
    }
    return match
  }

  /// Without the bits that the length leaves out.
  private static func prefix(_ high: UInt64, _ low: UInt64, length: UInt8, _ version: UInt8) -> AddressPrefix {
    let length64 = UInt64(length)
    guard version == 6 else {
      return .ipv4(UInt32(truncatingIfNeeded: kept(low, behind: 32 - length64)), length: length)
    }
    return .ipv6(
      kept(high, behind: 64 - min(length64, 64)), kept(low, behind: 128 - max(length64, 64)), length: length)
  }

  /// The word without so many of its low bits.
  private static func kept(_ word: UInt64, behind count: UInt64) -> UInt64 { (word >> count) << count }

  /// - Parameter wild: how often a field says nothing, in percent.
  mutating func match(wild: Int) -> FlowMatch {
    let version: UInt8 = chance(50) ? 4 : 6
    var match = FlowMatch()
    match.innerVLAN = identifier(identifiers, wild: wild)
    match.vlan = identifier(identifiers, wild: wild)
    if match.vlan == .absent, case .equal = match.innerVLAN { match.vlan = .any }
    match.virtualNetwork = identifier(networks, wild: wild)
    if !chance(wild) { match.transportProtocol = any(of: [0, IPProtocol.tcp, IPProtocol.udp, 255]) }
    if !chance(wild) { match.opener = any(of: ConnectionEnd.allCases) }
    if !chance(wild) { match.dscp = any(of: [0, 46, 63]) }
    match.guest = end(version, wild: wild)
    match.network = end(version, wild: wild)
    match.source = end(version, wild: wild)
    match.destination = end(version, wild: wild)
    return match
  }

  mutating func facts() -> ConnectionFacts {
    let version: UInt8 = chance(50) ? 4 : 6
    let (one, other) = (address(version), address(version))
    let tags = UInt32.random(in: 0...2, using: &random)
    var vlan = tags << 24
    if tags > 0 { vlan |= any(of: identifiers) << 12 }
    if tags > 1 { vlan |= any(of: identifiers) }
    return ConnectionFacts(
      guest: Endpoint(addressHigh: one.high, addressLow: one.low, port: any(of: ports)),
      network: Endpoint(addressHigh: other.high, addressLow: other.low, port: any(of: ports)), vlan: vlan,
      virtualNetwork: chance(50) ? 0 : any(of: networks) + 1,
      transportProtocol: any(of: [0, IPProtocol.tcp, IPProtocol.tcp, IPProtocol.udp, 255]), ipVersion: version,
      opener: any(of: ConnectionEnd.allCases), dscp: any(of: [0, 46, 63]))
  }
}
