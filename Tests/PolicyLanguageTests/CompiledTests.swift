// SPDX-License-Identifier: Apache-2.0
import PolicyLanguage
import TCPPolicy
import Testing
import YAMLDocument

@Suite("Policy language: what policies become") struct CompiledTests {
  private static let machines = ["db-3", "web1", "backup-7", "legacy-win2008r2"]

  @Test("The documentation's policy becomes, for each of some VMs, what is written down", arguments: machines)
  func sample(_ vm: String) throws {
    let reading = PolicyDocument.load([PolicySource("policy.yaml", try Sample.text("sample"))])
    #expect(reading.mistakes + reading.warnings == [])
    let compiled = try #require(reading.document).compile(for: NICFacts(vm: vm))
    #expect(compiled.mistakes + compiled.warnings == [])
    #expect(compiled.text == (try Sample.text("sample.\(vm).policy")))
    _ = try Classifier(parsing: compiled.text, fallback: FlowConfiguration())
  }

  @Test("Each field and each knob becomes what is written down", arguments: ["fields", "knobs"])
  func snapshots(_ name: String) throws {
    let reading = PolicyDocument.load([PolicySource("policy.yaml", try Sample.text("\(name).yaml"))])
    #expect(reading.mistakes + reading.warnings == [])
    let compiled = try #require(reading.document).compile(for: NICFacts(vm: "db-3"))
    #expect(compiled.text == (try Sample.text("\(name).policy")))
  }

  @Test("What a rule asks of VM and NIC is asked when a policy is compiled")
  func facts() throws {
    let document = try Sample.document(try Sample.text("fields.yaml"))
    func ports(_ facts: NICFacts) -> [String] {
      document.compile(for: facts).text.split(separator: "\n").filter { $0.hasPrefix("rule destinationPort=") }
        .map { String($0.dropFirst(21).prefix(1)) }
    }
    var facts = NICFacts(
      vm: "dog", uuid: "6ba7b810-9DAD-11d1-80b4-00c04fd430c8", mac: "52:54:00:ab:cd:ef", alias: "ua-vtcp-web")
    facts.groups = ["web", "storage"]
    #expect(ports(facts) == ["2", "4", "5"])
    facts.groups = ["web"]
    facts.alias = "net0"
    #expect(ports(facts) == ["2", "6"])
    facts.vm = "db-old1"
    #expect(ports(facts) == ["3", "6"])
    facts.vm = "db-new"
    #expect(ports(facts) == ["1", "3", "6"])
    // What is not known is nothing that was asked for.
    #expect(ports(NICFacts(vm: "catfish")) == ["2", "6"])
  }

  @Test("Rules of several files follow one another, and name sets and classes of any of them")
  func files() throws {
    let reading = PolicyDocument.load([
      PolicySource("policy.yaml", "apiVersion: vtcp/v1\nrules: [{ name: one, match: { dport: $web }, class: a }]"),
      PolicySource(
        "policy.d/10.yaml",
        "apiVersion: vtcp/v1\nsets: { web: [80] }\nclasses: { a: { weight: 2 } }\nrules: [{ name: two, match: any, class: a }]"
      ),
    ])
    #expect(reading.mistakes == [])
    let compiled = try #require(reading.document).compile(for: NICFacts(vm: "a"))
    let rules = compiled.text.split(separator: "\n").filter { $0.hasPrefix("rule") }
    #expect(rules == ["rule destinationPort=80 configuration=c1 class=a", "rule configuration=c1 class=a"])
  }

  @Test("What is likely not to be meant so is warned of, with its place")
  func warnings() {
    let text = """
      apiVersion: vtcp/v1
      sets: { dc: [10.0.0.0/8], lost: [80] }
      classes:
        a: { buffer: 1MiB }
        unused: {}
        parent: {}
        child: { extends: parent, rate: 1Gbit/s }
      rules:
        - { name: wide, match: { peer: $dc, dport: 1-1000 }, class: a }
        - { name: narrow, match: { peer: 10.1.0.0/16, dport: [80, 443], opener: guest }, class: a }
        - { name: glob, match: { vm: "db-*" }, class: a }
        - { name: one, match: { vm: db-1, vlan: 5 }, class: a }
        - { name: other, match: { vm: web1 }, class: child }
      default: child
      """
    let reading = PolicyDocument.load([PolicySource("p", text)])
    #expect(reading.mistakes == [])
    #expect(
      reading.warnings.map(\.description) == [
        "p:2:27: warning: the set lost is used nowhere",
        "p:5:3: warning: the class unused is in no rule, assignment or default: only the metadata of a VM can name it",
        "p:10:5: warning: the rule 'narrow' is never reached: 'wide' at p:9 is for all that it is for",
        "p:12:5: warning: the rule 'one' is never reached: 'glob' at p:11 is for all that it is for",
        "p:13:48: warning: the rate of child is for VMs that have the class; to connections of this rule it is nothing",
      ])
  }

  @Test("A NIC that would have too many rules is a mistake that names the rule that most are of")
  func tooMany() throws {
    let ports = (0..<600).map { "\($0 * 2)" }.joined(separator: ", ")
    let text = """
      classes: { a: { weight: 2 } }
      rules:
        - { name: small, match: { vlan: 1-500 }, class: a }
        - { name: large, match: { dport: [\(ports)] }, class: a }
      """
    let compiled = try Sample.policy(text).compile(for: NICFacts(vm: "a"))
    #expect(compiled.text.isEmpty)
    #expect(
      compiled.mistakes.map(\.description) == [
        "policy.yaml:5:5: error: the rules of this policy are 1100 rules of this NIC, one for each combination of their values, and there may be 1024; 'large' is 600 of them"
      ])
  }

  @Test("A NIC that would have too many configurations is a mistake")
  func tooManyConfigurations() throws {
    let numbers = 0..<254
    let classes = numbers.map { "  k\($0): { buffer: \($0 + 1) }\n" }.joined()
    let rules = numbers.map { "  - { match: { dport: \($0) }, class: k\($0) }\n" }.joined()
    let compiled = try Sample.policy("classes:\n\(classes)rules:\n\(rules)").compile(for: NICFacts(vm: "a"))
    #expect(
      compiled.mistakes.map(\.sentence) == ["this NIC would have 254 configurations and phases, and may have 253"])
    let fewer = try Sample.policy(
      "classes:\n\(classes)rules:\n\(rules)".replacing("k253: { buffer: 254 }", with: "k253: {}"))
    #expect(fewer.compile(for: NICFacts(vm: "a")).mistakes == [])
  }

  @Test("Phases of a VM's class are for all that no rule is for")
  func phases() throws {
    let text =
      "classes: { a: { phases: [{ until: established, set: { weight: 2 } }, { set: { weight: 3 } }] } }\ndefault: a"
    let compiled = try Sample.policy(text).compile(for: NICFacts(vm: "a"))
    let lines = compiled.text.split(separator: "\n").dropFirst(2)
    #expect(
      Array(lines) == [
        "configuration c1 bufferWeight=3 servingWeight=3", "phases p1 default until=established c1",
        "rule configuration=p1 class=a",
      ])
  }

  @Test("The schema is what the tables say, and is in the documentation")
  func schema() throws {
    #expect(PolicySchema.json.pretty == (try Sample.documentation("policy.schema.json")))
    #expect(YAMLReader.read(PolicySchema.json.description).mistakes == [])
  }

  @Test(
    "Every knob and every field of rules stands in the documentation",
    arguments: Knob.allCases.map(\.rawValue) + MatchField.allCases.map(\.rawValue))
  func documented(_ name: String) throws {
    #expect(try Sample.documentation("policy-language.md").contains("`\(name)`"))
  }
}
