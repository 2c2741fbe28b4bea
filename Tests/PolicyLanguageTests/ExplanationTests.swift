// SPDX-License-Identifier: Apache-2.0
import PolicyLanguage
import TCPPolicy
import Testing
import YAMLDocument

@Suite("Policy language: why, and what another policy changes") struct ExplanationTests {
  @Test("The explanation of the documentation's example names rule, classes, values, places, and rules not taken")
  func sample() throws {
    let document = try Sample.document(try Sample.text("sample"))
    var nic = NICFacts(vm: "db-3", mac: "52:54:00:00:00:01")
    nic.bandwidth.outboundAverage = 125_000
    let flow = try FlowDescription(parsing: "tcp 10.1.2.3:40022 > 10.9.9.9:873 vlan=100").facts
    let explanation = document.explain(for: nic, flow: flow)
    #expect(explanation.text == (try Sample.text("sample.explanation.txt")))
    #expect(
      explanation.json.description.hasPrefix(
        #"{"flow": "tcp 10.1.2.3:40022 > 10.9.9.9:873 opener=guest vlan=100", "rule": {"name": "rsync", "file": "policy.yaml", "#
      ))
    #expect(YAMLReader.read(explanation.json.pretty).mistakes == [])
    let tree = YAMLReader.read(explanation.json.description).root
    #expect(tree?["classes"]?.elements?.compactMap(\.text) == ["bulk-dc", "base"])
    #expect(tree?["notTaken"]?.elements?.first?["reason"]?.text == "vm db-3 is not backup-*")
  }

  @Test("Without a rule the classes of the VM are told")
  func noRule() throws {
    let document = try Sample.document(try Sample.text("sample"))
    let flow = try FlowDescription(parsing: "10.1.2.3:40022 > 10.9.9.9:80").facts
    let explanation = document.explain(for: NICFacts(vm: "legacy-win2008r2"), flow: flow)
    #expect(explanation.rule == nil)
    #expect(explanation.classes == ["watched"])
    #expect(explanation.vmClasses == ["base by default", "watched by assign, policy.yaml:54"])
  }

  @Test("Mistakes of the NIC stand for an explanation")
  func mistakes() throws {
    var nic = NICFacts(vm: "a")
    nic.vmClass = "gold"
    let flow = try FlowDescription(parsing: "10.1.2.3:40022 > 10.9.9.9:80").facts
    let explanation = try Sample.policy("rules: []").explain(for: nic, flow: flow)
    #expect(explanation.text == "error: the metadata of the VM a names the class 'gold', which is not in the policy\n")
  }

  @Test(
    "A connection is read as it is printed",
    arguments: [
      "tcp 10.1.2.3:40022 > 10.9.9.9:873 opener=guest", "tcp [fd00::1]:1 > [2001:db8::2:0:0]:65535 opener=network",
      "tcp 0.0.0.0:0 > 255.255.255.255:1 opener=network vlan=4094 innerVlan=0 vni=16777215 dscp=63",
      "tcp [::]:1 > [::1]:2 opener=guest vni=0",
    ])
  func flow(_ text: String) throws { #expect("\(try FlowDescription(parsing: text))" == text) }

  @Test(
    "What is no connection is told how it is written",
    arguments: [
      "", ">", "tcp", "10.1.2.3 > 10.9.9.9:80", "10.1.2.3:1 < 10.9.9.9:80", "10.1.2.3:1 > 10.9.9.9:65536",
      "10.1.2.3:1 > [fd00::1]:2", "fd00::1:1 > fd00::2:2", "[10.1.2.3]:1 > [10.1.2.3]:2", "10.0.0.0/8:1 > 10.1.1.1:2",
      "10.1.2.3:1 > 10.9.9.9:2 opener=me", "10.1.2.3:1 > 10.9.9.9:2 innerVlan=5", "10.1.2.3:1 > 10.9.9.9:2 vlan=4095",
      "10.1.2.3:1 > 10.9.9.9:2 vlan=1 vlan=2", "10.1.2.3:1 > 10.9.9.9:2 vlam=1", "10.1.2.3:1 > 10.9.9.9:2 > 10.1.1.1:3",
    ])
  func noFlow(_ text: String) { #expect(throws: PolicyMistake.self) { try FlowDescription(parsing: text) } }

  @Test("Another policy's changes are counted: other classes, early acknowledgment lost and gained, other values")
  func difference() throws {
    let classes = "classes: { a: { buffer: 1MiB }, b: { buffer: 2MiB }, \"off\": { earlyAck: off } }\n"
    let old = try Sample.policy(
      classes + "rules: [{ match: { dport: 80 }, class: a }, { match: { dport: 22 }, class: \"off\" }]\ndefault: a")
    let new = try Sample.policy(
      classes.replacing("2MiB", with: "3MiB")
        + "rules: [{ match: { dport: 80 }, class: b }, { match: { dport: 81 }, class: \"off\" }]\ndefault: a")
    let flows = try [80, 81, 82, 22].map { try FlowDescription(parsing: "10.0.0.1:1 > 10.0.0.2:\($0)").facts }
    let difference = old.diff(to: new, over: [NICFlows(NICFacts(vm: "vm1"), flows: flows)])
    #expect(
      difference.text == """
        of 4 flows 3 change class, 1 loses early acknowledgment, 1 gains it, 0 keep their class and change otherwise
        vm1  tcp 10.0.0.1:1 > 10.0.0.2:80 opener=guest  class a -> b  tx.buffer: 1 MiB -> 3 MiB, rx.buffer: 1 MiB -> 3 MiB
        vm1  tcp 10.0.0.1:1 > 10.0.0.2:81 opener=guest  class a -> off  loses early acknowledgment  earlyAck: on -> off
        vm1  tcp 10.0.0.1:1 > 10.0.0.2:22 opener=guest  class off -> a  gains early acknowledgment  earlyAck: off -> on

        """)
    #expect(old.diff(to: old, over: [NICFlows(NICFacts(vm: "vm1"), flows: flows)]).changes.isEmpty)
    #expect(YAMLReader.read(difference.json.description).root?["lostEarly"]?.text == "1")
  }
}
