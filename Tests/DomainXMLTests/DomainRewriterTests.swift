// SPDX-License-Identifier: Apache-2.0

import DomainXML
import Testing
import Wire

@Suite("A domain's XML is given what our NICs need")
struct DomainRewriterTests {
  static func rewrite(_ text: String, _ adoption: DomainRewriter.Adoption = .none) throws -> (
    text: String, changes: [String]
  ) {
    let result = try DomainRewriter.rewrite(Array(text.utf8), folder: "/run/vtcp", adopting: adoption)
    let text = String(decoding: result.octets, as: UTF8.self)
    let again = try DomainRewriter.rewrite(result.octets, folder: "/run/vtcp", adopting: adoption)
    #expect(again.octets == result.octets && again.changes == [], "rewriting twice is rewriting once")
    return (text, result.changes)
  }

  @Test("Memory is shared, QEMU connects again, and not an octet besides is another")
  func needs() throws {
    let text = """
      <domain type='kvm'>
        <name>w&amp;b</name> <!-- mine -->
        <devices>
          <interface type='vhostuser'>
            <mac address='52:54:00:00:00:01'/>
            <source type='unix' path='/run/vtcp/a.sock' mode='client'/>
            <model type='virtio'/>
          </interface>
        </devices>
      </domain>

      """
    let expected = """
      <domain type='kvm'>
        <name>w&amp;b</name> <!-- mine -->
        <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>
        <devices>
          <interface type='vhostuser'>
            <mac address='52:54:00:00:00:01'/>
            <source type='unix' path='/run/vtcp/a.sock' mode='client'>
              <reconnect enabled='yes' timeout='1'/>
            </source>
            <model type='virtio'/>
          </interface>
        </devices>
      </domain>

      """
    let result = try Self.rewrite(text)
    #expect(result.text == expected)
    #expect(
      result.changes == [
        "/run/vtcp/a.sock: QEMU connects again when the NIC was away", "the guest's memory is shared",
      ])
  }

  @Test("What is as it has to be, or is none of ours, stays as it is")
  func untouched() throws {
    let good = Samples.domain(
      interfaces:
        "<interface type='vhostuser'><source path='/run/vtcp/a.sock' mode='client'><reconnect enabled='yes'/></source></interface>"
    )
    let server = Samples.domain(
      interfaces: "<interface type='vhostuser'><source path='/run/vtcp/a.sock' mode='server'/></interface>")
    let other = Samples.domain(interfaces: Samples.interface(path: "/run/ovs/a.sock"), backing: "")
    let bridge = Samples.domain(interfaces: "<interface type='bridge'><source bridge='br0'/></interface>", backing: "")
    for text in [good, server, other, bridge] { #expect(try Self.rewrite(text).text == text) }
  }

  @Test(
    "Memory that is backed otherwise is changed where it must be",
    arguments: [
      ("<memoryBacking/>", "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>"),
      (
        "<memoryBacking><hugepages/></memoryBacking>",
        "<memoryBacking><hugepages/><access mode='shared'/></memoryBacking>"
      ),
      (
        "<memoryBacking><source type='file'/><access mode='private'/></memoryBacking>",
        "<memoryBacking><source type='file'/><access mode='shared'/></memoryBacking>"
      ),
    ])
  func backing(before: String, after: String) throws {
    func text(_ backing: String) -> String {
      "<domain>\(backing)<devices><interface type='vhostuser'><source path='/run/vtcp/a' mode='server'/></interface></devices></domain>"
    }
    #expect(try Self.rewrite(text(before)).text == text(after))
  }

  @Test("An MTU that libvirt can't set is told to the guest by host_mtu")
  func mtu() throws {
    let interface = Samples.interface(more: "<mtu size='9000'/>")
    for more in [
      "", "<qemu:override><qemu:device alias='ua-x'/></qemu:override>",
      "<qemu:override><qemu:device alias='ua-vtcp-525400000001'/></qemu:override>",
      "<qemu:override><qemu:device alias='ua-vtcp-525400000001'><qemu:frontend/></qemu:device></qemu:override>",
      """
      <qemu:override><qemu:device alias='ua-vtcp-525400000001'><qemu:frontend>
      <qemu:property name='host_mtu' type='unsigned' value='1500'/></qemu:frontend></qemu:device></qemu:override>
      """,
    ] {
      let alias = more.contains("ua-vtcp") ? "<alias name='ua-vtcp-525400000001'/>" : ""
      let text = Samples.domain(interfaces: interface.replacing("<mtu", with: alias + "<mtu"), more: more)
      let rewritten = try Self.rewrite(text).text
      let domain = try Samples.read(rewritten).domain
      #expect(domain.interfaces[0].mtu == 9000 && domain.interfaces[0].mtuElement == nil, "\(rewritten)")
      #expect(domain.interfaces[0].alias == "ua-vtcp-525400000001")
    }
  }

  @Test("An interface of another type becomes ours, with all that stays true of it")
  func adoption() throws {
    let bridge = """
      <interface type='bridge' managed='no'>
        <mac address='52:54:00:00:00:01'/>
        <source bridge='br0'/>
        <target dev='vnet3'/>
        <model type='e1000'/>
        <bandwidth><inbound average='1000'/></bandwidth>
        <mtu size='9000'/>
        <filterref filter='clean-traffic'/>
      </interface>
      <interface type='network'><mac address='52:54:00:00:00:02'/><source network='default'/></interface>
      """
    let text = Samples.domain(interfaces: bridge, backing: "").replacing("web1", with: "w&amp;b 1")
    let address = try MACAddress(parsing: "52:54:00:00:00:01")
    let one = try Self.rewrite(text, .addresses([address]))
    let reading = try Samples.read(one.text)
    #expect(reading.mistakes == [] && reading.domain.interfaces.count == 1 && reading.domain.isMemoryShared)
    let interface = reading.domain.interfaces[0]
    #expect(interface.path == "/run/vtcp/w-b-1-0.sock" && interface.mode == .client && interface.reconnects)
    #expect(interface.mtu == 9000 && interface.inbound?.average == 1000)
    #expect(!one.text.contains("filterref") && !one.text.contains("vnet3") && !one.text.contains("e1000"))
    #expect(one.text.contains("<interface type='vhostuser' managed='no'>") && one.text.contains("type='network'"))
    #expect(one.changes.contains("\"52:54:00:00:00:01\": \"filterref\" is left out"))
    let moved = "joins the bridge of vtcpd.yaml now; for another one: vtcpctl port add w-b-1-"
    #expect(
      one.changes.contains(
        "\"52:54:00:00:00:01\": it was in the bridge \"br0\", and \(moved)0 --bridge br0"))
    #expect(
      try Self.rewrite(text, .all).changes.contains(
        "\"52:54:00:00:00:02\": it was in libvirt's network \"default\", and \(moved)1 --bridge BRIDGE"))
    let all = try Self.rewrite(text, .all)
    #expect(
      try Samples.read(all.text).domain.interfaces.map(\.path) == ["/run/vtcp/w-b-1-0.sock", "/run/vtcp/w-b-1-1.sock"])
  }

  @Test("What is no domain is refused")
  func refused() {
    for text in ["", "<network/>", "<domain>", "<!DOCTYPE domain><domain/>"] {
      #expect(throws: DomainMistake.self) { try DomainRewriter.rewrite(Array(text.utf8), folder: "/run/vtcp") }
    }
  }
}
