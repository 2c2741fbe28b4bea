// SPDX-License-Identifier: Apache-2.0
import PolicyLanguage
import TCPPolicy
import Testing
import Wire

@Suite("Policy language: what gives a knob its value") struct LayerTests {
  /// Later layers set the same knob; each is one more than the one before.
  private static let classes = """
    limits: { tenantKeys: [buffer] }
    classes:
      c1: { buffer: 1MiB, tx: { dupAckThreshold: 11 } }
      c2: { buffer: 2MiB }
      c3: { buffer: 3MiB }
      c4: { buffer: 4MiB }
      c5: { buffer: 5MiB }
      c6: { buffer: 6MiB, phases: [{ until: { time: 1s }, set: { buffer: 7MiB } }] }
    assign: [{ vm: assigned, class: c2 }]

    """

  private func origin(_ facts: NICFacts, _ rest: String, overrides: [PolicyOverride] = []) throws -> (String, String) {
    let document = try Sample.policy(Self.classes + rest)
    let compiled = document.compile(for: facts, overrides: overrides)
    #expect(compiled.mistakes == [])
    let knob = try #require(compiled.origins.last?.knobs.first { $0.knob == .buffer })
    return (knob.value, knob.origin.source)
  }

  @Test("Without a class a knob is what is built in")
  func builtIn() throws { #expect(try origin(NICFacts(vm: "a"), "") == ("4 MiB", "built-in")) }

  @Test("The default class comes above what is built in")
  func fallback() throws { #expect(try origin(NICFacts(vm: "a"), "default: c1") == ("1 MiB", "classes.c1")) }

  @Test("The assigned class comes above the default")
  func assigned() throws { #expect(try origin(NICFacts(vm: "assigned"), "default: c1") == ("2 MiB", "classes.c2")) }

  @Test("The class of the VM's metadata counts instead of the assigned one")
  func vmClass() throws {
    var facts = NICFacts(vm: "assigned")
    facts.vmClass = "c3"
    #expect(try origin(facts, "default: c1") == ("3 MiB", "classes.c3"))
  }

  @Test("A value in the VM's metadata comes above its class")
  func vmSetting() throws {
    var facts = NICFacts(vm: "a")
    facts.vmClass = "c3"
    facts.settings = [PolicySetting(key: "buffer", value: "9MiB")]
    #expect(try origin(facts, "default: c1") == ("9 MiB", "metadata of the VM"))
  }

  @Test("The NIC's class comes above all that is said of the VM, and the port's class instead of it")
  func nicClass() throws {
    var facts = NICFacts(vm: "a")
    facts.vmClass = "c3"
    facts.settings = [PolicySetting(key: "buffer", value: "9MiB")]
    facts.nicClass = "c4"
    #expect(try origin(facts, "default: c1") == ("4 MiB", "classes.c4"))
    facts.portClass = "c5"
    #expect(try origin(facts, "default: c1") == ("5 MiB", "classes.c5"))
    facts.settings.append(PolicySetting(key: "buffer", value: "10MiB", isOfNIC: true))
    #expect(try origin(facts, "default: c1") == ("10 MiB", "metadata of the NIC"))
  }

  @Test("The rule's class comes above the NIC's, its phase above that, and an override above all")
  func ruleClass() throws {
    var facts = NICFacts(vm: "a")
    facts.nicClass = "c4"
    let rule = "default: c1\nrules: [{ match: { dport: 80 }, class: c6 }]"
    let compiled = try Sample.policy(Self.classes + rule).compile(for: facts)
    let phases = compiled.origins.filter { $0.rule != nil }.map { configuration in
      configuration.knobs.first { $0.knob == .buffer }.map { "\($0.value) \($0.origin.source)" }
    }
    #expect(phases == ["7 MiB classes.c6.phases[1]", "6 MiB classes.c6"])
    let override = PolicyOverride(id: "7", key: "buffer", value: "8MiB")
    #expect(try origin(facts, rule, overrides: [override]) == ("8 MiB", "override 7"))
  }

  @Test("A class sets the knobs that it says, and no others; replace takes it alone")
  func knobByKnob() throws {
    let facts = NICFacts(vm: "a")
    func threshold(_ replace: String) throws -> String? {
      let rules = "default: c1\nrules: [{ match: { dport: 80 }, class: c5\(replace) }]"
      let compiled = try Sample.policy(Self.classes + rules).compile(for: facts)
      return compiled.origins.first?.knobs.first { $0.name == "tx.dupAckThreshold" || $0.name == "dupAckThreshold" }?
        .value
    }
    #expect(try threshold("") == "11")
    #expect(try threshold(", replace: true") == "3")
  }

  @Test("A key outside of tx and rx is for both directions, those within for one, wherever they stand")
  func parts() throws {
    let text = "classes: { a: { tx: { buffer: 1MiB }, buffer: 2MiB } }\ndefault: a"
    let compiled = try Sample.policy(text).compile(for: NICFacts(vm: "a"))
    #expect(compiled.text.contains(" transmitBufferSize=1MiB receiveBufferSize=2MiB "))
    let child = "classes: { a: { tx: { buffer: 1MiB } }, b: { extends: a, buffer: 2MiB } }\ndefault: b"
    let other = try Sample.policy(child).compile(for: NICFacts(vm: "a"))
    #expect(other.text.contains(" transmitBufferSize=2MiB receiveBufferSize=2MiB "))
  }

  @Test("libvirt's bandwidth is the rate, in and out told apart, and what can't be kept is told")
  func bandwidth() throws {
    var facts = NICFacts(vm: "db-3")
    facts.bandwidth.inboundAverage = 125_000
    facts.bandwidth.outboundAverage = 12_500
    facts.bandwidth.outboundPeak = 25_000
    let compiled = try Sample.policy("classes: { a: { rate: 5Gbit/s } }\ndefault: a").compile(for: facts)
    #expect(compiled.text.hasSuffix("shape transmitRate=100Mbit/s receiveRate=1Gbit/s\n"))
    #expect(
      compiled.warnings.map(\.sentence) == ["<bandwidth> of db-3: peak and burst are not kept, the average counts"])
    facts.bandwidth.inboundAverage = .max
    let most = try Sample.policy("rules: []").compile(for: facts)
    #expect(most.text.hasSuffix("receiveRate=1000Gbit/s\n"))
  }

  @Test("Limits clamp whatever a class, a tenant or an override says, and tell of it")
  func limits() throws {
    let text = """
      limits: { perVM: { buffer: 1MiB, rate: 1Gbit/s }, tenantKeys: [buffer] }
      classes: { a: { tx: { buffer: 2MiB }, rate: 5Gbit/s } }
      default: a
      """
    var facts = NICFacts(vm: "a")
    facts.settings = [PolicySetting(key: "rx.buffer", value: "3MiB")]
    let compiled = try Sample.policy(text).compile(for: facts)
    #expect(compiled.text.contains(" transmitBufferSize=1MiB receiveBufferSize=1MiB "))
    #expect(compiled.text.hasSuffix("shape transmitRate=1Gbit/s receiveRate=1Gbit/s\n"))
    #expect(
      compiled.warnings.map(\.description) == [
        "policy.yaml:3:23: warning: tx.buffer is 2 MiB, and limits.perVM.buffer makes 1 MiB of it",
        "policy.yaml:2:20: warning: rx.buffer is 3 MiB, and limits.perVM.buffer makes 1 MiB of it",
        "policy.yaml:3:39: warning: tx.rate is 5 Gbit/s, and limits.perVM.rate makes 1 Gbit/s of it",
        "policy.yaml:3:39: warning: rx.rate is 5 Gbit/s, and limits.perVM.rate makes 1 Gbit/s of it",
      ])
    let clamp = compiled.origins.first?.knobs.first { $0.name == "tx.buffer" }?.origin.clamp
    #expect(clamp == "2 MiB without limits.perVM.buffer (policy.yaml:2)")
    let flows = try Sample.policy("limits: { perVM: { flows: 4096, rate: 1Gbit/s } }").compile(for: NICFacts(vm: "a"))
      .text
    #expect(flows.hasSuffix("receiveRate=1Gbit/s\nlimit flows=4096\n"))
    let unlimited = try Sample.policy("limits: { perVM: { rate: 1Gbit/s } }").compile(for: facts).warnings
    #expect(unlimited == [])
  }

  @Test(
    "What a VM, a port or an override says wrong is a mistake, and nothing is compiled",
    arguments: [
      ("class", "platinum", "the metadata of the VM vm1 names the class 'platinum', which is not in policy.yaml"),
      (
        "class", "gld",
        "the metadata of the VM vm1 names the class 'gld', which is not in policy.yaml (did you mean gold?)"
      ),
      (
        "nic", "gld",
        "the metadata of a NIC of vm1 names the class 'gld', which is not in policy.yaml (did you mean gold?)"
      ),
      ("port", "gld", "the port names the class 'gld', which is not in policy.yaml (did you mean gold?)"),
      ("dupAckThreshold", "2", "the metadata of the VM vm1 sets 'dupAckThreshold', which is not in limits.tenantKeys"),
      ("bufer", "2", "the metadata of the VM vm1 sets 'bufer', which there is not (did you mean buffer?)"),
      (
        "buffer", "2MB",
        "the metadata of the VM vm1: buffer is 0 to 1GiB in octets, KiB, MiB or GiB, not '2MB' (did you mean 2MiB?)"
      ),
      ("tx.earlyAck", "on", "the metadata of the VM vm1 sets 'tx.earlyAck': earlyAck is for both directions"),
      ("weight", "0", "the metadata of the VM vm1: weight is 1 to 255, not '0'"),
    ])
  func wrong(_ key: String, _ value: String, _ sentence: String) throws {
    let document = try Sample.policy("limits: { tenantKeys: [buffer, weight] }\nclasses: { gold: { buffer: 1MiB } }")
    var facts = NICFacts(vm: "vm1")
    switch key {
    case "class": facts.vmClass = value
    case "nic": facts.nicClass = value
    case "port": facts.portClass = value
    default: facts.settings = [PolicySetting(key: key, value: value)]
    }
    let compiled = document.compile(for: facts)
    #expect(compiled.mistakes.map(\.sentence) == [sentence])
    #expect(compiled.text.isEmpty)
  }

  @Test("Values that can't be beside one another in the end are a mistake, with the rule that they are of")
  func conflicts() throws {
    let text = """
      classes: { slow: { minimumTimeout: 20s }, fast: { maximumTimeout: 10s } }
      rules: [{ name: r, match: any, class: fast }]
      default: slow
      """
    let compiled = try Sample.policy(text).compile(for: NICFacts(vm: "a"))
    #expect(
      compiled.mistakes.map(\.description) == [
        "policy.yaml:2:20: error: the rule 'r': minimumTimeout is 20 s, and maximumTimeout 10 s, which is less"
      ])
  }

  @Test("Deviations outside of their set are clamped, connection by connection")
  func deviations() throws {
    let text = """
      limits: { deviations: inside-dc-only }
      sets: { dc: [10.0.0.0/8, "fd00::/8"] }
      classes: { fast: { initialCongestionWindow: 40, dupAckThreshold: 1 } }
      rules: [{ name: r, match: { peer: [10.1.0.0/16, 192.0.2.0/24] }, class: fast }]
      """
    let document = try Sample.policy(text)
    func window(_ flow: String) throws -> String? {
      let flow = try FlowDescription(parsing: flow).facts
      let explanation = document.explain(for: NICFacts(vm: "a"), flow: flow)
      #expect(explanation.rule == "r")
      return explanation.phases[0].knobs.first { $0.knob == .initialCongestionWindow }?.value
    }
    #expect(try window("10.0.0.1:1 > 10.1.0.1:2") == "40")
    #expect(try window("192.168.0.1:1 > 10.1.0.1:2") == "10")
    #expect(try window("10.0.0.1:1 > 192.0.2.1:2") == "10")
    let nowhere = try Sample.policy(text.replacing("inside-dc-only", with: "nowhere")).compile(for: NICFacts(vm: "a"))
    #expect(!nowhere.text.contains("initialCongestionWindow=40"))
    #expect(
      nowhere.warnings.first?.description
        == "policy.yaml:4:20: warning: the rule 'r': tx.initialCongestionWindow is 40, and limits.deviations makes 10 of it"
    )
    let everywhere = try Sample.policy(text.replacing("inside-dc-only", with: "everywhere"))
    #expect(everywhere.compile(for: NICFacts(vm: "a")).text.contains("initialCongestionWindow=40"))
  }
}
