// SPDX-License-Identifier: Apache-2.0

import DomainXML
import LibvirtHooks
import Testing
import Wire

@Suite("What vtcpd does when libvirt's hook calls")
struct LibvirtHookTests {
  struct Host: HookHost {
    var folder = "/run/vtcp"
    var mostQueues = 8
    var policyClasses = ["base", "gold", "silver"]
    var owners: [String: HookOwner] = [:]

    func objection(name: String) -> String? { name.hasPrefix(".") ? "a name begins with no dot" : nil }
    func objection(policy binding: NICBinding) -> String? {
      [binding.domainClass, binding.policyClass].compactMap(\.self).first { !policyClasses.contains($0) }
        .map { "class '\($0)' of domain \(binding.domain) is not defined" }
    }
    func owner(_ nic: String) -> HookOwner? { owners[nic] }
  }

  static let uuid = "5b1e8c1a-3d5e-4f60-9c3b-0a1b2c3d4e5f"
  static let path = "/run/vtcp/web1-0.sock"

  static func interface(path: String = Self.path, mac: String = "52:54:00:00:00:01", more: String = "") -> String {
    "<interface type='vhostuser'><mac address='\(mac)'/><source type='unix' path='\(path)' mode='client'/>\(more)</interface>"
  }

  static func domain(_ interfaces: String = interface(), policy: String = "", shared: Bool = true) throws
    -> DomainReading
  {
    let metadata =
      policy.isEmpty
      ? "" : "<metadata><p:policy xmlns:p='https://vtcp.example/libvirt/1' \(policy)</p:policy></metadata>"
    let text = """
      <domain><name>web1</name><uuid>\(uuid)</uuid>\(metadata)
      <memoryBacking>\(shared ? "<access mode='shared'/>" : "")</memoryBacking><devices>\(interfaces)</devices></domain>
      """
    return try DomainReading(parsing: Array(text.utf8))
  }

  /// What is refused, or nil.
  static func refusal(_ reading: DomainReading, host: Host = Host()) -> String? {
    guard case .refuse(let sentence) = LibvirtHook(host: host).action(.prepare, reading) else { return nil }
    return sentence
  }

  @Test("A domain without an interface of ours passes, whatever else it is", arguments: HookOperation.allCases)
  func others(operation: HookOperation) throws {
    for path in ["/run/openvswitch/a.sock", "/run/vtcp/nics/a.sock"] {
      let reading = try Self.domain(Self.interface(path: path), policy: "clas='x'>", shared: false)
      #expect(LibvirtHook(host: Host()).action(operation, reading) == .pass)
    }
  }

  @Test("What is asked of a NIC is all that the domain says of it")
  func binding() throws {
    let more = """
      <driver queues='2'/><alias name='ua-front'/><bandwidth><inbound average='1000'/><outbound average='500' peak='900'/></bandwidth>
      """
    let reading = try Self.domain(
      Self.interface(more: more),
      policy: """
        class='silver' groups='web'><p:set key='buffer' value='1MiB'/>
        <p:nic mac='52:54:00:00:00:01' class='gold'><p:set key='rate' value='1Gbit'/></p:nic>
        """)
    guard case .provide(let bindings) = LibvirtHook(host: Host()).action(.prepare, reading) else {
      Issue.record("not provided")
      return
    }
    #expect(bindings.count == 1)
    let nic = bindings[0]
    #expect(nic.name == "web1-0" && nic.path == Self.path && nic.domain == "web1" && nic.uuid?.description == Self.uuid)
    #expect(nic.macAddress?.description == "52:54:00:00:00:01" && nic.alias == "ua-front" && nic.queues == 2)
    #expect(nic.domainClass == "silver" && nic.policyClass == "gold" && nic.groups == ["web"])
    #expect(nic.domainSettings.map(\.value) == ["1MiB"] && nic.settings.map(\.value) == ["1Gbit"])
    #expect(nic.inbound == BandwidthLimit(average: 1000) && nic.outbound == BandwidthLimit(average: 500, peak: 900))
  }

  @Test("Each operation does its part: what runs is never refused, what ends is released")
  func operations() throws {
    let good = try Self.domain()
    let bad = try Self.domain(policy: "class='platinum'>", shared: false)
    let hook = LibvirtHook(host: Host())
    let bindings = hook.bindings(good.domain)
    for operation in HookOperation.allCases {
      let expected: HookAction =
        switch operation {
        case .prepare, .start, .started, .reconnect, .attach: .provide(bindings)
        case .release: .release(bindings)
        case .stopped, .migrate, .restore: .pass
        }
      #expect(hook.action(operation, good) == expected, "\(operation)")
      if case .refuse = hook.action(operation, bad) {
        #expect(operation.canRefuse, "\(operation)")
      } else {
        #expect(!operation.canRefuse, "\(operation)")
      }
    }
  }

  @Test("A refusal is one sentence that says how to mend it")
  func refusals() throws {
    #expect(
      Self.refusal(try Self.domain(policy: "class='glod'>"))
        == "class 'glod' of domain web1 is not defined")
    #expect(
      Self.refusal(try Self.domain(policy: "class='gold'><p:nic mac='52:54:00:00:00:01' class='platinum'/>"))
        == "class 'platinum' of domain web1 is not defined")
    #expect(
      Self.refusal(try Self.domain(Self.interface().replacing("client", with: "server")))
        == "/run/vtcp/web1-0.sock of domain web1 has mode='server'; vtcpd's NICs listen themselves: write mode='client'"
    )
    #expect(
      Self.refusal(try Self.domain(shared: false))
        == "the memory of domain web1 is not shared, so that no vhostuser interface can reach it: write"
        + " <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>")
    #expect(
      Self.refusal(try Self.domain(Self.interface(more: "<driver queues='9'/>")))
        == "/run/vtcp/web1-0.sock of domain web1 asks for 9 queues; a NIC has at most 8")
    #expect(
      Self.refusal(try Self.domain(Self.interface(more: "<mtu size='9000'/>")))?.hasPrefix(
        "libvirt can't start a vhostuser interface with <mtu size='9000'/> (/run/vtcp/web1-0.sock): take it out")
        == true)
    #expect(
      Self.refusal(try Self.domain(policy: "clas='gold'>"))
        == "the XML of domain web1 has mistakes: line 1: \"clas\" is not an attribute of <policy> (class, groups); did you mean class?"
    )
    #expect(
      Self.refusal(try Self.domain(Self.interface(path: "/run/vtcp/web1")))
        == "the socket /run/vtcp/web1 of domain web1 can't be a NIC's: its name ends with .sock")
    #expect(
      Self.refusal(try Self.domain(Self.interface(path: "/run/vtcp/.a.sock")))
        == "the socket /run/vtcp/.a.sock of domain web1 can't be a NIC's: a name begins with no dot")
    let many = try Self.domain(policy: ">" + String(repeating: "<p:x/>", count: 5))
    #expect(Self.refusal(many)?.hasSuffix("; and 2 more") == true)
  }

  @Test("A socket that a running domain has is no other's; its own it may have again")
  func owners() throws {
    let other = try #require(DomainUUID("00000000-0000-0000-0000-000000000001"))
    let own = try #require(DomainUUID(Self.uuid))
    var host = Host()
    host.owners["web1-0"] = HookOwner(name: "db", uuid: other)
    #expect(
      Self.refusal(try Self.domain(), host: host)
        == "the socket /run/vtcp/web1-0.sock is in use by domain db: give domain web1 another path")
    host.owners["web1-0"] = HookOwner(name: "web1", uuid: own)
    #expect(Self.refusal(try Self.domain(), host: host) == nil)
  }
}
