// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import DomainXML
import HostService
import LibvirtHooks
import PolicyLanguage
import Testing
import Timekeeping

@Suite("A NIC is bound to a libvirt domain")
struct DomainTests {
  static let uuid = "5b1e8c1a-3d5e-4f60-9c3b-0a1b2c3d4e5f"

  struct Host: HookHost {
    let folder = "/run/vtcp"
    let mostQueues = 8
    func objection(name: String) -> String? { nil }
    func objection(policy binding: NICBinding) -> String? { nil }
    func owner(_ nic: String) -> HookOwner? { nil }
  }

  private func bound() throws -> NICDomain {
    let text = """
      <domain><name>web 1</name><uuid>\(Self.uuid)</uuid>
      <metadata><p:policy xmlns:p='https://vtcp.example/libvirt/1' class='bulk' groups='a b'>
      <p:set key='buffer' value='1MiB'/><p:set key='rate' value='1Gbit/s'/>
      <p:nic mac='52:54:00:00:00:01' class='gold'><p:set key='rate' value='2Gbit/s'/></p:nic></p:policy></metadata>
      <devices><interface type='vhostuser'><mac address='52:54:00:00:00:01'/>
      <source type='unix' path='/run/vtcp/web1.sock' mode='client'/><alias name='ua-x'/>
      <bandwidth><outbound average='1000' burst='64'/></bandwidth></interface></devices></domain>
      """
    let domain = try DomainReading(parsing: Array(text.utf8)).domain
    return try #require(LibvirtHook(host: Host()).bindings(domain).first.flatMap { NICDomain($0) })
  }

  @Test func policiesAreToldWhatTheDomainSaysAndWhatThePortWasMadeWith() throws {
    var settings = NICSettings()
    settings.machine = "of the port"
    settings.groups = ["dmz", "a"]
    settings.nicClass = "silver"
    settings.macAddress = "52:54:00:00:00:99"
    settings.inline = [.init("weight", "10")]
    let before = settings.facts(try NICName("web1"))
    #expect(before.vm == "of the port" && before.portClass == "silver" && before.nicClass == nil)
    settings.bound = try bound()
    let facts = settings.facts(try NICName("web1"))
    #expect(facts.vm == "web 1" && facts.uuid == Self.uuid && facts.mac == "52:54:00:00:00:01" && facts.alias == "ua-x")
    #expect(facts.groups == ["dmz", "a", "b"])
    #expect(facts.vmClass == "bulk" && facts.nicClass == "gold" && facts.portClass == "silver")
    #expect(facts.settings.map(\.key) == ["weight", "buffer", "rate"])
    #expect(facts.settings.map(\.value) == ["10", "1MiB", "2Gbit/s"])
    #expect(
      facts.bandwidth.outboundAverage == 1000 && facts.bandwidth.outboundBurst == 64
        && facts.bandwidth.inboundAverage == 0)
    settings.bound = nil
    #expect(settings.facts(try NICName("web1")) == before)
  }

  @Test func bindingIsKeptOnDiskAndIsNoReasonToStartAnew() throws {
    var settings = NICSettings()
    settings.origin = .libvirt
    let unbound = settings
    settings.bound = try bound()
    let kept = try NICSettings(reading: Array(settings.json.text.utf8), file: "port", isStored: true)
    #expect(kept == settings)
    #expect(!settings.startsDifferently(from: unbound))
    #expect(throws: ServiceError.self) { try NICSettings(reading: Array(settings.json.text.utf8), file: "request") }
  }

  @Test func eventsOfBeforeADomainsEndAreTooLate() {
    var claims = DomainClaims()
    let start = Instant(nanoseconds: 0)
    let answer1 = claims.isOver(Self.uuid, now: start)
    #expect(!answer1)
    claims.end(Self.uuid, now: start)
    let answer2 = claims.isOver(Self.uuid, now: start + .seconds(9))
    #expect(answer2)
    let answer3 = claims.isOver("other", now: start)
    #expect(!answer3)
    claims.begin(Self.uuid)
    let answer4 = claims.isOver(Self.uuid, now: start + .seconds(9))
    #expect(!answer4)
    claims.end(Self.uuid, now: start)
    let answer5 = claims.isOver(Self.uuid, now: start + .seconds(10))
    #expect(!answer5)
  }

  @Test func manyEndedDomainsAreForgottenRatherThanKept() {
    var claims = DomainClaims()
    for number in 0..<10_000 { claims.end("\(number)", now: Instant(nanoseconds: 0)) }
    let answer6 = claims.isOver("0", now: Instant(nanoseconds: 0))
    #expect(answer6)
    let answer7 = claims.isOver("9999", now: Instant(nanoseconds: 0))
    #expect(!answer7)
    claims.end("new", now: Instant(nanoseconds: 0) + .seconds(11))
    let answer8 = claims.isOver("new", now: Instant(nanoseconds: 0) + .seconds(11))
    #expect(answer8)
  }
}
