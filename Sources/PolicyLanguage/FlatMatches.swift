// SPDX-License-Identifier: Apache-2.0

import TCPPolicy

/// What a rule asks of connections, as rules of docs/policy.md: those have one prefix, one range of ports and one number a field, and no
/// "not". So a rule of the language becomes all combinations of what its fields may be; none has both IPv4 and IPv6 addresses.
struct FlatMatches {
  private var addresses: [EndpointRole: [AddressBlock]] = [:]
  private var ports: [EndpointRole: [ClosedRange<Int>]] = [:]
  private var vlan: [IdentifierMatch] = [.any]
  private var innerVLAN: [IdentifierMatch] = [.any]
  private var virtualNetwork: [IdentifierMatch] = [.any]
  private var protocols: [UInt8?] = [nil]
  private var codePoints: [UInt8?] = [nil]
  private var opener: ConnectionEnd?
  /// A field has more values than there may be rules.
  private var isTooLong = false

  /// - Parameter inside: both ends have addresses of these blocks besides; nil: anything.
  init(_ conditions: [MatchCondition], inside: [AddressBlock]? = nil) {
    for condition in conditions {
      switch (condition.field.kind, condition.test) {
      case (.addresses(let role), .addresses(let blocks)): addresses[role] = blocks
      case (.ports(let role), .numbers(let ranges, _)): ports[role] = ranges
      case (.numbers, .numbers(let ranges, let orNone)): set(condition.field, ranges, orNone)
      case (.opener, .opener(let end)): opener = end
      // Of the NIC; or never made so by the reader.
      case (.names, _), (.addresses, _), (.ports, _), (.numbers, _), (.opener, _): break
      }
    }
    guard let inside else { return }
    for role in [EndpointRole.guest, .network] {
      addresses[role] = addresses[role].map { AddressBlock.intersect($0, inside) } ?? inside
    }
  }

  private mutating func set(_ field: MatchField, _ ranges: [ClosedRange<Int>], _ orNone: Bool) {
    let count = ranges.reduce(0) { $0 + $1.count }
    guard count <= Classifier.ruleLimit else {
      isTooLong = true
      return
    }
    let numbers = ranges.flatMap { Array($0) }
    let identifiers = (orNone ? [IdentifierMatch.absent] : []) + numbers.map { .equal(UInt32(clamping: $0)) }
    switch field {
    case .vlan: vlan = identifiers
    case .innerVlan: innerVLAN = identifiers
    case .vni: virtualNetwork = identifiers
    case .proto: protocols = numbers.map { UInt8(clamping: $0) }
    case .dscp: codePoints = numbers.map { UInt8(clamping: $0) }
    case .vm, .uuid, .mac, .alias, .group, .src, .dst, .guest, .peer, .sport, .dport, .guestPort, .peerPort, .opener:
      break
    }
  }

  /// The tags that a packet can have: there is no inner one without an outer one.
  private var tags: [(outer: IdentifierMatch, inner: IdentifierMatch)] {
    vlan.flatMap { outer in
      innerVLAN.compactMap { inner in
        if outer == .absent, case .equal = inner { return nil }
        return (outer, inner)
      }
    }
  }

  /// How many there are; 0: no connection can match. What is beyond all numbers is the greatest of them.
  var count: Int {
    if isTooLong { return .max }
    var ends = 0
    for isIPv6 in addresses.isEmpty ? [nil] : [false, true] {
      ends = Self.sum(
        ends,
        addresses.values.reduce(1) { product, blocks in
          Self.product(product, blocks.filter { isIPv6 == nil || $0.isIPv6 == isIPv6 }.count)
        })
    }
    // 2^20 at the most.
    let factors = [vlan.count * innerVLAN.count > 1 << 20 ? .max : tags.count] + ports.values.map(\.count)
    return (factors + [virtualNetwork.count, protocols.count, codePoints.count]).reduce(ends, Self.product)
  }

  /// All of them; nil: more than `limit`.
  func matches(limit: Int) -> [FlowMatch]? {
    guard count <= limit else { return nil }
    var start = FlowMatch()
    start.opener = opener
    var found: [FlowMatch] = []
    for isIPv6 in addresses.isEmpty ? [false] : [false, true] {
      var some = [start]
      for role in EndpointRole.allCases {
        guard let blocks = addresses[role] else { continue }
        some = Self.each(some, blocks.filter { $0.isIPv6 == isIPv6 }) { $0[role].prefix = $1.prefix }
      }
      found += some
    }
    for role in EndpointRole.allCases {
      guard let ranges = ports[role] else { continue }
      found = Self.each(found, ranges) {
        $0[role].firstPort = UInt16(clamping: $1.lowerBound)
        $0[role].lastPort = UInt16(clamping: $1.upperBound)
      }
    }
    found = Self.each(found, tags) { ($0.vlan, $0.innerVLAN) = ($1.outer, $1.inner) }
    found = Self.each(found, virtualNetwork) { $0.virtualNetwork = $1 }
    found = Self.each(found, protocols) { $0.transportProtocol = $1 }
    return Self.each(found, codePoints) { $0.dscp = $1 }
  }

  private static func each<Value>(
    _ matches: [FlowMatch], _ values: [Value], _ set: (inout FlowMatch, Value) -> Void
  ) -> [FlowMatch] {
    matches.flatMap { match in
      values.map { value in
        var match = match
        set(&match, value)
        return match
      }
    }
  }

  private static func product(_ left: Int, _ right: Int) -> Int {
    let product = left.multipliedReportingOverflow(by: right)
    return product.overflow ? .max : product.partialValue
  }

  private static func sum(_ left: Int, _ right: Int) -> Int {
    let sum = left.addingReportingOverflow(right)
    return sum.overflow ? .max : sum.partialValue
  }
}
