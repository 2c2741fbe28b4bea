// SPDX-License-Identifier: Apache-2.0

import DomainXML
import Testing
import Wire

@Suite("What concerns us of a domain's XML is read")
struct DomainReadingTests {
  @Test("A domain with everything")
  func everything() throws {
    let first = Samples.interface(
      more: """
        <bandwidth><inbound average='1000' peak='5000' burst='1024'/><outbound average='128'/></bandwidth>
        <target dev=''/><model type='virtio'/><driver name='vhost' queues='4' rx_queue_size='1024'/>
        <alias name='ua-front'/><address type='pci' slot='0x03'/>
        """)
    let second = """
      <interface type='vhostuser'><mac address='52:54:00:00:00:02'/>
      <source type='unix' path='/run/other/b.sock' mode='server'><reconnect enabled='yes' timeout='3'/></source></interface>
      """
    let other = "<interface type='bridge'><mac address='52:54:00:00:00:03'/><source bridge='br0'/></interface>"
    let metadata =
      "<x:a xmlns:x='http://example.org/'><policy class='no'/></x:a>"
      + Samples.policy(
        "class='bulk' groups=' web  db '",
        "<v:set key='buffer' value='4MiB'/><v:nic mac='52:54:00:00:00:01' class='gold'><v:set key='rate' value='1Gbit'/></v:nic>"
      )
    let override = """
      <qemu:override><qemu:device alias='ua-front'><qemu:frontend>
      <qemu:property name='host_mtu' type='unsigned' value='9000'/></qemu:frontend></qemu:device></qemu:override>
      """
    let reading = try Samples.read(
      Samples.domain(interfaces: first + other + second, metadata: metadata, more: override))
    #expect(reading.mistakes == [])
    let domain = reading.domain
    #expect(domain.name == "web1" && domain.uuid == DomainUUID(Samples.uuid) && domain.isMemoryShared)
    #expect(domain.interfaces.count == 2)
    let one = domain.interfaces[0]
    #expect(one.macAddress == (try MACAddress(parsing: "52:54:00:00:00:01")) && one.path == "/run/vtcp/web1-0.sock")
    #expect(one.mode == .client && !one.reconnects && one.queues == 4 && one.alias == "ua-front")
    #expect(one.mtu == 9000 && one.mtuElement == nil)
    #expect(one.inbound == BandwidthLimit(average: 1000, peak: 5000, burst: 1024))
    #expect(one.outbound == BandwidthLimit(average: 128) && one.outbound?.bitsPerSecond == 1_024_000)
    let two = domain.interfaces[1]
    #expect(two.mode == .server && two.reconnects && two.reconnectSeconds == 3 && two.mtu == nil)
    let policy = try #require(domain.metadata)
    #expect(policy.policyClass == "bulk" && policy.groups == ["web", "db"])
    #expect(policy.settings.map(\.key) == ["buffer"] && policy.settings.map(\.value) == ["4MiB"])
    let nic = try #require(policy.nic(try MACAddress(parsing: "52:54:00:00:00:01")))
    #expect(nic.policyClass == "gold" && nic.settings.map(\.value) == ["1Gbit"])
  }

  @Test("Memory is shared by access, or by every NUMA cell")
  func sharedMemory() throws {
    func isShared(_ backing: String, _ more: String = "") throws -> Bool {
      try Samples.read(Samples.domain(backing: backing, more: more)).domain.isMemoryShared
    }
    #expect(try isShared("<access mode='shared'/>"))
    #expect(try !isShared("<access mode='private'/>"))
    #expect(try !isShared(""))
    #expect(try isShared("", "<cpu><numa><cell id='0' memAccess='shared'/><cell memAccess='shared'/></numa></cpu>"))
    #expect(try !isShared("", "<cpu><numa><cell memAccess='shared'/><cell id='1'/></numa></cpu>"))
    #expect(try !isShared("", "<cpu><numa></numa></cpu>"))
  }

  @Test(
    "The NIC's name is its socket's in the run directory",
    arguments: [
      ("/run/vtcp/a.sock", "a"), ("/run//vtcp/./a.sock", "a"), ("/run/vtcp/a.b.sock", "a.b"),
      ("/run/vtcp2/a.sock", nil), ("/run/vtcp/nics/a.sock", nil), ("/run/a.sock", nil), ("/run/vtcp/../a.sock", nil),
      ("/run/vtcp/x/../a.sock", nil), ("/run/vtcp", nil),
    ] as [(String, String?)])
  func names(path: String, name: String?) throws {
    let domain = try Samples.read(Samples.domain(interfaces: Samples.interface(path: path))).domain
    #expect(domain.interfaces.first?.name(in: "/run/vtcp") == name)
    #expect(domain.interfaces.first?.name(in: "/run/vtcp/") == name)
    #expect(domain.interfaces(in: "/run/vtcp").count == (name == nil ? 0 : 1))
  }

  @Test(
    "A socket in the run directory whose name is no NIC's is in it all the same", arguments: ["a", ".sock", "a.sock.b"])
  func namelessSockets(file: String) throws {
    let domain = try Samples.read(Samples.domain(interfaces: Samples.interface(path: "/run/vtcp/\(file)"))).domain
    #expect(domain.interfaces(in: "/run/vtcp").count == 1 && domain.interfaces[0].name(in: "/run/vtcp") == nil)
  }

  @Test("Entities of XML itself, CDATA and references to characters are read")
  func references() throws {
    let text = "<domain><name>a&amp;b&#x2D;c</name><uuid><![CDATA[\(Samples.uuid)]]></uuid></domain>"
    let domain = try Samples.read(text).domain
    #expect(domain.name == "a&b-c" && domain.uuid != nil)
  }

  @Test("A byte order mark and a declaration of UTF-8 are taken")
  func declarations() throws {
    #expect(try Samples.read("\u{feff}<?xml version='1.0' encoding='utf-8'?><domain/>").mistakes == [])
    #expect(try Samples.read("<?xml version='1.0' encoding='US-ASCII'?>\n<domain/>").mistakes == [])
  }

  @Test(
    "Wrong words are told with their place and a way to mend them",
    arguments: [
      (
        Samples.policy("clas='gold'"),
        "4:13: \"clas\" is not an attribute of <policy> (class, groups); did you mean class?"
      ),
      (Samples.policy("class=''"), "4:13: \"\" is no name of a class: 1 to 64 letters, digits, -, _, . and /"),
      (Samples.policy("class='a b'"), "4:13: \"a b\" is no name of a class: 1 to 64 letters, digits, -, _, . and /"),
      (Samples.policy("groups='a \u{e9}'"), "4:13: \"\u{e9}\" is no group: 1 to 64 letters, digits, -, _, . and /"),
      (
        Samples.policy("", "<v:nics/>"),
        "4:65: \"nics\" is not an element in <policy> (nic, set); did you mean nic?"
      ),
      (Samples.policy("", "gold"), "4:13: <policy> has attributes, and no text like \"gold\""),
      (
        Samples.policy("", "<v:nic class='gold'/>"),
        "4:65: <nic> needs the address of the interface that it is about: mac='52:54:00:...'"
      ),
      (
        Samples.policy("", "<v:nic mac='01:00:5e:00:00:01'/>"),
        "4:65: \"01:00:5e:00:00:01\" is no address of a NIC: six numbers of two hexadecimal digits with colons, not of a group"
      ),
      (
        Samples.policy("", "<v:nic mac='52:54:00:00:00:01'/>\n<v:nic mac='52:54:00:00:00:01'/>"),
        "5:1: the NIC 52:54:00:00:00:01 stands twice: say all of it in one place"
      ),
      (Samples.policy("", "<v:set key='a'/>"), "4:65: <set> needs key='...' and value='...'"),
      (
        Samples.policy("", "<v:set key='a' value='&#10;'/>"),
        "4:65: a value has 1 to 256 octets, all printable, unlike \"?\""
      ),
      (Samples.policy("", "<v:set key='a' value='1'/><v:set key='a' value='2'/>"), "4:91: \"a\" is set twice"),
      (Samples.policy("") + Samples.policy(""), "4:76: there are policies already, in line 4: take one out"),
      (
        "<v:polity xmlns:v='https://vtcp.example/libvirt/1'/>",
        "4:13: our metadata are one element, policy, not \"polity\""
      ),
    ])
  func metadataMistakes(metadata: String, mistake: String) {
    #expect(Samples.mistakes(Samples.domain(metadata: metadata)) == [mistake])
  }

  @Test("What others put into our metadata in namespaces of their own is passed over")
  func foreign() throws {
    let policy = Samples.policy(
      "class='gold' x:class='tin' xmlns:x='http://example.org/'", "<x:nic/><v:set key='a' value='1'/>")
    let reading = try Samples.read(Samples.domain(metadata: policy))
    #expect(reading.mistakes == [] && reading.domain.metadata?.policyClass == "gold")
  }

  @Test(
    "Wrong interfaces are told and left out",
    arguments: [
      (
        "<interface type='vhostuser'/>",
        "6:60: a vhostuser interface needs <source type='unix' path='...' mode='client'>"
      ),
      (
        "<interface type='vhostuser'><source type='unix' mode='client'/></interface>",
        "6:88: the source of a vhostuser interface needs the socket's path"
      ),
      (
        Samples.interface(path: "run/a.sock"),
        "6:122: a socket's path is absolute, with at most 107 octets, all printable, not \"run/a.sock\""
      ),
      (
        "<interface type='vhostuser'><source path='/a' mode='both'/></interface>",
        "6:88: a socket's mode is client (QEMU connects to us) or server, not \"both\""
      ),
      (
        Samples.interface() + "\n" + Samples.interface(path: "/run/vtcp/b.sock"),
        "7:1: two vhostuser interfaces have the address 52:54:00:00:00:01: NICs are known by it"
      ),
      (
        Samples.interface() + "\n" + Samples.interface(mac: "52:54:00:00:00:02"),
        "7:1: two interfaces have the socket \"/run/vtcp/web1-0.sock\": each needs one of its own"
      ),
    ])
  func interfaceMistakes(interfaces: String, mistake: String) {
    #expect(Samples.mistakes(Samples.domain(interfaces: interfaces)) == [mistake])
  }

  @Test(
    "Numbers that can't be are told, and the rest is read",
    arguments: [
      "<driver queues='0'/>", "<driver queues='-1'/>", "<driver queues='99999999999999999999'/>", "<mtu size='1'/>",
      "<bandwidth><inbound average='x'/></bandwidth>", "<bandwidth><inbound average='1' peak='0'/></bandwidth>",
      "<bandwidth><outbound average='4294967296'/></bandwidth>",
    ])
  func numbers(more: String) throws {
    let reading = try Samples.read(Samples.domain(interfaces: Samples.interface(more: more)))
    #expect(reading.mistakes.count == 1 && reading.domain.interfaces.count == 1)
    #expect(reading.mistakes[0].text.contains(" is a number from "))
  }

  @Test("passt's interfaces, which libvirt makes itself, are not ours to read")
  func passt() throws {
    let passt = "<interface type='vhostuser'><backend type='passt'/></interface>"
    let reading = try Samples.read(Samples.domain(interfaces: passt))
    #expect(reading.mistakes == [] && reading.domain.interfaces == [])
  }

  @Test("A policy can be read by itself, with and without the namespace")
  func metadataAlone() throws {
    for text in ["<policy class='gold'/>", Samples.policy("class='gold'")] {
      let reading = try MetadataReading(parsing: Array(text.utf8))
      #expect(reading.mistakes == [] && reading.metadata.policyClass == "gold")
    }
    let nested = try MetadataReading(parsing: Array("<policy><nic mac='52:54:00:00:00:01'/></policy>".utf8))
    #expect(nested.metadata.nics.count == 1)
    #expect(throws: DomainMistake.self) { try MetadataReading(parsing: Array("<policies/>".utf8)) }
    #expect(throws: DomainMistake.self) { try MetadataReading(parsing: Array("<policy xmlns='urn:x'/>".utf8)) }
  }

  @Test(
    "A UUID is read as libvirt reads it",
    arguments: [
      ("5B1E8C1A-3D5E-4F60-9C3B-0A1B2C3D4E5F", Samples.uuid), ("5b1e8c1a3d5e4f609c3b0a1b2c3d4e5f", Samples.uuid),
      ("5b1e8c1a-3d5e-4f60-9c3b-0a1b2c3d4e5", nil), ("5b1e8c1a-3d5e-4f60-9c3b-0a1b2c3d4e5g", nil), ("", nil),
    ] as [(String, String?)])
  func uuids(text: String, read: String?) {
    #expect(DomainUUID(text)?.description == read)
  }

  @Test("A rate beyond what a number holds is the largest number")
  func rates() {
    #expect(BandwidthLimit(average: .max).bitsPerSecond == .max)
    #expect(BandwidthLimit(average: 1, peak: 2).peakBitsPerSecond == 16_000)
  }
}
