// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import Testing

@Suite("Policy: what a rule can't say")
struct MatchValidationTests {
  /// What making a policy of one rule says.
  private func refusal(_ change: (inout FlowMatch) -> Void) -> MatchError? {
    var match = FlowMatch()
    change(&match)
    do {
      _ = try Classifier(rules: [PolicyRule(match, configuration: .fallback)])
    } catch .invalidMatch(let error, rule: 0) {
      return error
    } catch {
      Issue.record("\(error)")
    }
    return nil
  }

  @Test("Identifiers of VLANs end at 4094, of virtual networks at 2^24 - 1")
  func identifiers() {
    #expect(refusal { ($0.vlan, $0.innerVLAN) = (.equal(4094), .equal(0)) } == nil)
    #expect(refusal { $0.vlan = .equal(4095) } == .vlan(4095))
    #expect(refusal { $0.innerVLAN = .equal(.max) } == .vlan(.max))
    #expect(refusal { $0.virtualNetwork = .equal(0xff_ffff) } == nil)
    #expect(refusal { $0.virtualNetwork = .equal(0x100_0000) } == .virtualNetwork(0x100_0000))
  }

  @Test("A code point has 6 bits")
  func codePoint() {
    #expect(refusal { $0.dscp = 63 } == nil)
    #expect(refusal { $0.dscp = 64 } == .dscp(64))
  }

  @Test("There is no inner tag without an outer one")
  func tags() {
    #expect(refusal { ($0.vlan, $0.innerVLAN) = (.absent, .equal(1)) } == .innerTagAlone)
    #expect(refusal { ($0.vlan, $0.innerVLAN) = (.absent, .absent) } == nil)
    #expect(refusal { ($0.vlan, $0.innerVLAN) = (.any, .equal(1)) } == nil)
  }

  @Test(
    "A prefix is as long as an address at most, and has no bits behind its length", arguments: EndpointRole.allCases)
  func prefixes(role: EndpointRole) {
    func refusal(_ prefix: AddressPrefix) -> MatchError? {
      self.refusal { set(role, EndpointMatch(prefix), in: &$0) }
    }
    #expect(refusal(.ipv4(0x0a00_0001)) == nil)
    #expect(refusal(.ipv4(0, length: 0)) == nil)
    #expect(refusal(.ipv4(0x0a00_0000, length: 8)) == nil)
    #expect(refusal(.ipv4(0x0a00_0001, length: 31)) == .bitsBehindPrefix(role))
    #expect(refusal(.ipv4(0, length: 33)) == .prefixLength(role, 33, allowed: 0...32))
    #expect(refusal(.ipv6(1, 1)) == nil)
    #expect(refusal(.ipv6(1, 0, length: 64)) == nil)
    #expect(refusal(.ipv6(1, 0, length: 63)) == .bitsBehindPrefix(role))
    #expect(refusal(.ipv6(1, 1, length: 64)) == .bitsBehindPrefix(role))
    #expect(refusal(.ipv6(1, 1, length: 127)) == .bitsBehindPrefix(role))
    #expect(refusal(.ipv6(0, 0, length: 255)) == .prefixLength(role, 255, allowed: 0...128))
    var damaged = AddressPrefix.ipv4(1)
    damaged.addressHigh = 1
    #expect(refusal(damaged) == .bitsBehindPrefix(role))
  }

  @Test("The last port of a range is not below the first", arguments: EndpointRole.allCases)
  func ports(role: EndpointRole) {
    #expect(refusal { set(role, EndpointMatch(port: 0), in: &$0) } == nil)
    #expect(refusal { set(role, EndpointMatch(firstPort: 2, lastPort: 1), in: &$0) } == .ports(role, first: 2, last: 1))
  }

  @Test("The ends of a connection are of one IP version")
  func versions() {
    #expect(refusal { ($0.guest.prefix, $0.destination.prefix) = (.ipv4(1), .ipv6(0, 1)) } == .addressVersions)
    #expect(
      refusal { ($0.source.prefix, $0.guest.prefix) = (.ipv6(0, 0, length: 0), .ipv4(0, length: 0)) }
        == .addressVersions)
    #expect(refusal { ($0.network.prefix, $0.destination.prefix) = (.ipv6(0, 2), .ipv6(0, 1)) } == nil)
  }

  private func set(_ role: EndpointRole, _ end: EndpointMatch, in match: inout FlowMatch) {
    switch role {
    case .guest: match.guest = end
    case .network: match.network = end
    case .source: match.source = end
    case .destination: match.destination = end
    }
  }
}
