// SPDX-License-Identifier: Apache-2.0
import TCPPolicy
import Wire

/// A rule as the reference has it: plain values, compared one by one. It shares no code with the language.
struct ModelRule {
  struct Block {
    var high: UInt64
    var low: UInt64
    var length: Int
    var isIPv6: Bool

    func contains(_ end: Endpoint, _ version: UInt8) -> Bool {
      guard isIPv6 == (version == 6) else { return false }
      func bit(_ high: UInt64, _ low: UInt64, _ place: Int) -> UInt64 {
        guard isIPv6 else { return low >> UInt64(31 - place) & 1 }
        return place < 64 ? high >> UInt64(63 - place) & 1 : low >> UInt64(127 - place) & 1
      }
      return (0..<length).allSatisfy { bit(high, low, $0) == bit(end.addressHigh, end.addressLow, $0) }
    }
  }

  /// What a field may be, and what it may not; both empty: anything.
  struct Choice<Value> {
    var wanted: [Value] = []
    var unwanted: [Value] = []

    func holds(_ matches: (Value) -> Bool) -> Bool {
      (wanted.isEmpty || wanted.contains(where: matches)) && !unwanted.contains(where: matches)
    }
  }

  var vm = Choice<String>()
  var addresses: [String: Choice<Block>] = [:]
  var ports: [String: Choice<ClosedRange<Int>>] = [:]
  /// Nil within: no tag.
  var vlan: [Int?] = []
  var innerVLAN: [Int?] = []
  var vni: [Int?] = []
  var dscp = Choice<ClosedRange<Int>>()
  var opener: ConnectionEnd?
  var className = ""
  var replaces = false

  func matches(_ name: String, _ facts: ConnectionFacts) -> Bool {
    guard vm.holds({ Self.glob(Array($0), Array(name)) }) else { return false }
    for (field, choice) in addresses {
      guard choice.holds({ $0.contains(Self.end(field, facts), facts.ipVersion) }) else { return false }
    }
    for (field, choice) in ports {
      guard choice.holds({ $0.contains(Int(Self.end(field, facts).port)) }) else { return false }
    }
    let tags = facts.vlan / 0x100_0000
    let outer = tags >= 1 ? Int(facts.vlan / 0x1000 % 0x1000) : nil
    let inner = tags >= 2 ? Int(facts.vlan % 0x1000) : nil
    let network = facts.virtualNetwork == 0 ? nil : Int(facts.virtualNetwork) - 1
    guard vlan.isEmpty || vlan.contains(outer), innerVLAN.isEmpty || innerVLAN.contains(inner),
      vni.isEmpty || vni.contains(network), dscp.holds({ $0.contains(Int(facts.dscp)) })
    else { return false }
    return opener == nil || opener == facts.opener
  }

  private static func end(_ field: String, _ facts: ConnectionFacts) -> Endpoint {
    switch field {
    case "src", "sport": facts.opener == .guest ? facts.guest : facts.network
    case "dst", "dport": facts.opener == .guest ? facts.network : facts.guest
    case "guest", "guestPort": facts.guest
    default: facts.network
    }
  }

  /// As a definition has it.
  private static func glob(_ pattern: [Character], _ name: [Character]) -> Bool {
    guard let first = pattern.first else { return name.isEmpty }
    if first == "*" {
      return (0...name.count).contains { glob(Array(pattern.dropFirst()), Array(name.dropFirst($0))) }
    }
    guard let letter = name.first, first == "?" || first == letter else { return false }
    return glob(Array(pattern.dropFirst()), Array(name.dropFirst()))
  }
}
