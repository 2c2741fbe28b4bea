// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import FrameSupport
import Testing
import Timekeeping
import Wire

@testable import TCPPolicy

@Suite("Policy: as it is written")
struct PolicyTextTests {
  private func parse(_ text: String, fallback: FlowConfiguration = FlowConfiguration()) throws -> Classifier {
    try Classifier(parsing: text, fallback: fallback)
  }

  private func errors(_ text: String) -> [String] {
    do {
      _ = try parse(text)
      return []
    } catch let wrong as PolicyTextErrors {
      return wrong.errors.map(\.description)
    } catch {
      return ["\(error)"]
    }
  }

  private func configuration(_ classifier: Classifier, _ name: String) throws -> FlowConfiguration {
    let number = (0..<classifier.configurationCount).first {
      classifier.configurationName(UInt8($0)).description == name
    }
    return classifier.configuration(UInt8(try #require(number, "\(name)")))
  }

  @Test("Nothing is a policy: what --vtcp says for all")
  func empty() throws {
    var fallback = FlowConfiguration()
    fallback.mode = .snoop
    for text in ["", "\n\n", "# only a word\r\n  # and another", " \t "] {
      let classifier = try parse(text, fallback: fallback)
      #expect(classifier.configuration(0) == fallback && classifier.classCount == 1)
    }
  }

  @Test("Configurations begin with default, or with what they extend")
  func configurations() throws {
    let classifier = try parse(
      """
      default mode=snoop keepFactor=768 # for all that follows
      configuration a transmitBufferSize=2MiB acknowledgmentDelay=500us isPaced=off
      configuration b extends=a congestionAlgorithm=bic slowStartThreshold=none usesHyStart=off sendsLarge=off
      configuration c extends=config1 shutWindow=stop receiveRecovery=full maximumTimeout=10s
      """)
    #expect(classifier.configuration(0).mode == .snoop && classifier.configuration(0).keepFactor == 768)
    let a = try configuration(classifier, "a")
    #expect(a.mode == .snoop && a.keepFactor == 768 && a.transmitBufferSize == 2 << 20 && !a.isPaced)
    #expect(a.acknowledgmentDelay == .microseconds(500))
    var b = a
    b.congestionAlgorithm = .bic
    b.slowStartThreshold = .max
    b.usesHyStart = false
    b.sendsLarge = false
    #expect(try configuration(classifier, "b") == b)
    var c = FlowConfiguration.config1
    c.shutWindow = .stop
    c.receiveRecovery = .full
    c.maximumTimeout = .seconds(10)
    #expect(try configuration(classifier, "c") == c)
  }

  @Test("Every field and every choice can be written", arguments: ConfigurationField.allCases)
  func fields(field: ConfigurationField) throws {
    let unit = field.unit == "ns" ? "s" : ""
    let value = field.unit == "ns" ? (field == .acknowledgmentDelay ? 0 : 1) : 2
    let classifier = try parse("configuration x \(field.rawValue)=\(value)\(unit)")
    let factor = field.unit == "ns" ? 1_000_000_000 : 1
    #expect(try configuration(classifier, "x")[field] == value * factor)
  }

  @Test("Headers are changed by keys of a configuration")
  func overrides() throws {
    let classifier = try parse(
      """
      default mode=off
      configuration a maximumSegmentSize=1200 windowClamp=64KiB ecn=clear stripOptions=timestamps,unknown
      configuration b extends=a stripOptions=none ecn=keep maximumSegmentSize=0
      configuration c extends=b windowClamp=0 addOptions=maximumSegmentSize
      configuration d extends=c addOptions=none
      rule configuration=a
      """)
    var overrides = HeaderOverrides()
    overrides.windowClamp = 65_536
    #expect(try configuration(classifier, "b").overrides == overrides)
    overrides.maximumSegmentSize = 1200
    overrides.ecn = .clear
    overrides.strippedOptions = [.timestamps, .unknown]
    #expect(try configuration(classifier, "a").overrides == overrides)
    overrides = HeaderOverrides()
    #expect(try configuration(classifier, "d").overrides == overrides)
    overrides.addedOptions = .maximumSegmentSize
    #expect(try configuration(classifier, "c").overrides == overrides && !overrides.isEmptyWhenOff)
    // There is something to do.
    #expect(!classifier.isOff && classifier.isOff(0))
  }

  @Test("ECN that is offered is nothing to a configuration that is off, in whatever order they are said")
  func offer() throws {
    let classifier = try parse(
      """
      default mode=off
      configuration a ecn=offer
      configuration b extends=a mode=early
      configuration c ecn=clear
      rule source=10.0.0.1 configuration=a
      rule source=10.0.0.2 configuration=b
      rule configuration=c
      """)
    #expect(try configuration(classifier, "b").overrides.ecn == .offer)
    let off = (0..<UInt8(classifier.configurationCount)).filter { classifier.isOff($0) }
    let names = off.map { classifier.configurationName($0).description }
    #expect(names.contains("a") && !names.contains("b") && !names.contains("c"))
  }

  @Test("Every algorithm has its name", arguments: CongestionAlgorithm.allCases)
  func algorithms(algorithm: CongestionAlgorithm) throws {
    let classifier = try parse("configuration x congestionAlgorithm=\(algorithm)")
    #expect(try configuration(classifier, "x").congestionAlgorithm == algorithm)
  }

  @Test("The row of FIG. 16 with every field is for its connection and for no other")
  func rules() throws {
    let classifier = try parse(
      """
      rule vlan=2 innerVLAN=none virtualNetwork=33902 protocol=tcp opener=guest dscp=46 \
      source=10.0.0.0/8 sourcePort=1024-2047 destination=192.168.1.7 destinationPort=443 configuration=config2 class=web
      rule guest=fd00::/8 network=2001:db8::1 networkPort=80 configuration=config1
      """)
    func facts(_ change: (inout ConnectionFacts) -> Void = { _ in }) -> ConnectionFacts {
      var facts = ConnectionFacts(
        guest: Endpoint(addressHigh: 0, addressLow: 0x0a01_0203, port: 1500),
        network: Endpoint(addressHigh: 0, addressLow: 0xc0a8_0107, port: 443), vlan: 1 << 24 | 2 << 12,
        virtualNetwork: 33903, ipVersion: 4, opener: .guest, dscp: 46)
      change(&facts)
      return facts
    }
    let found = classifier.classify(facts())
    #expect(classifier.configurationName(found.configuration).description == "config2")
    #expect(classifier.className(found.flowClass).description == "web")
    let others: [(inout ConnectionFacts) -> Void] = [
      { $0.vlan = 1 << 24 | 3 << 12 }, { $0.vlan = 2 << 24 | 2 << 12 }, { $0.virtualNetwork = 0 },
      { $0.transportProtocol = 17 }, { $0.opener = .network }, { $0.dscp = 0 },
      { $0.guest = Endpoint(addressHigh: 0, addressLow: 0x0b01_0203, port: 1500) },
      { $0.guest = Endpoint(addressHigh: 0, addressLow: 0x0a01_0203, port: 2048) },
      { $0.network = Endpoint(addressHigh: 0, addressLow: 0xc0a8_0108, port: 443) },
      { $0.network = Endpoint(addressHigh: 0, addressLow: 0xc0a8_0107, port: 444) },
    ]
    for change in others { #expect(classifier.classify(facts(change)) == .fallback) }
    let six = ConnectionFacts(
      guest: Endpoint(addressHigh: 0xfd12 << 48, addressLow: 5, port: 9),
      network: Endpoint(addressHigh: 0x2001_0db8 << 32, addressLow: 1, port: 80), ipVersion: 6, opener: .network)
    #expect(classifier.configurationName(classifier.classify(six).configuration).description == "config1")
  }

  @Test("Phases have the numbers behind all configurations, one after the other, and a rule names the first")
  func phases() throws {
    let classifier = try parse(
      """
      configuration eager mode=early
      phases fast config1 until=established eager until=65536 config2 until=1MiB default until=5s eager
      phases slow eager until=300ms config1
      rule dscp=1 configuration=slow
      rule configuration=fast class=all
      """)
    let names = ["default", "eager", "config1", "config2"] + ["config1", "eager", "config2", "default", "eager"]
    let all = names + ["eager", "config1"]
    #expect(classifier.configurationCount == all.count)
    for (number, name) in all.enumerated() {
      #expect(classifier.configurationName(UInt8(number)).description == name)
    }
    let ends: [PhaseEnd?] =
      [nil, nil, nil, nil]
      + [.established, .octets(65_536), .octets(1 << 20), .time(.seconds(5)), nil, .time(.milliseconds(300)), nil]
    #expect((0..<UInt8(all.count)).map { classifier.end($0) } == ends && classifier.end(200) == nil)
    var facts = ConnectionFacts(
      guest: Endpoint(addressHigh: 0, addressLow: 1, port: 1),
      network: Endpoint(addressHigh: 0, addressLow: 2, port: 2),
      ipVersion: 4, opener: .guest)
    #expect(classifier.classify(facts).configuration == 4)
    facts.dscp = 1
    #expect(classifier.classify(facts).configuration == 9)
  }

  @Test("A policy is off if all that is ever to be done is nothing")
  func offForGood() throws {
    let off = "default mode=off\nconfiguration on mode=early\n"
    #expect(try parse(off + "phases x default until=1KiB default\nrule configuration=x").isOff)
    #expect(try !parse(off + "phases x default until=1KiB on\nrule configuration=x").isOff)
    #expect(try !parse(off + "phases x on until=1KiB default\nrule configuration=x").isOff)
    #expect(try parse(off + "phases x on until=1KiB default").isOff)
  }

  @Test(
    "A mistake is told with its place and how to mend it",
    arguments: [
      (
        "rul a=b",
        "1:1: a line begins with default, configuration, phases, rule or shape, not 'rul'; did you mean rule?"
      ),
      ("configuration", "1:1: a configuration has a name: configuration NAME KEY=VALUE ..."),
      ("configuration a mode=late", "1:22: mode is off, limit, snoop, early, not 'late'"),
      ("configuration a tailSiz=1", "1:17: there is no 'tailSiz' in a configuration; did you mean tailSize?"),
      ("configuration a tailSize=1MB", "1:26: tailSize is a number with KiB, MiB, GiB, not '1MB'"),
      ("configuration a keepFactor=1024", "1:28: keepFactor is 0 to 1023 1/1024, not 1024"),
      ("configuration a minimumTimeout=5", "1:32: minimumTimeout is a number with us, ms, s, not '5'"),
      ("configuration a mode", "1:17: 'mode' says nothing: KEY=VALUE"),
      ("configuration a mode=", "1:22: 'mode' has no value"),
      ("configuration a mode=off mode=off", "1:26: 'mode' stands twice on this line"),
      ("configuration a isPaced=yes", "1:25: isPaced is on or off, not 'yes'"),
      ("configuration a/b", "1:15: 'a/b' is no name: 1 to 32 letters, digits, -, _ and ."),
      ("configuration a\nconfiguration a", "2:15: there is a configuration a already, on line 1"),
      ("configuration default", "1:15: there is a configuration default already"),
      ("configuration a extends=confg1", "1:25: there is no configuration 'confg1' above; did you mean config1?"),
      ("configuration a mode=off extends=config1", "1:26: extends stands first, behind the name"),
      (
        "configuration a minimumTimeout=20s maximumTimeout=10s",
        "1:15: configuration a: maximumTimeout is 20000000000 to 3600000000000 ns, not 10000000000"
      ),
      (
        "rule configuration=config1\ndefault mode=off",
        "2:1: default comes before all else, and once: the others begin with it"
      ),
      ("phases", "1:1: phases have a name: phases NAME CONFIGURATION until=LIMIT ... CONFIGURATION"),
      ("phases a", "1:8: there are two phases at least"),
      ("phases a config1", "1:8: there are two phases at least"),
      ("phases config1 config2 until=1s config1", "1:8: there is a configuration config1 already"),
      ("phases default config2 until=1s config1", "1:8: there is a configuration default already"),
      (
        "phases a config1 config2",
        "1:10: a phase that another one follows has an end: until=1MiB, until=5s or until=established"
      ),
      (
        "phases a config1 until=1s config2 until=2s",
        "1:41: what follows the last until is not said: a configuration stands at the end"
      ),
      ("phases a until=1s config2", "1:10: 'until' stands behind a configuration, once"),
      ("phases a config1 until=1s until=2s config2", "1:27: 'until' stands behind a configuration, once"),
      ("phases a config1 util=1s config2", "1:18: there is no 'util' in phases; did you mean until?"),
      ("phases a confg1 until=1s config2", "1:10: there is no configuration 'confg1' above; did you mean config1?"),
      ("phases a c/d until=1s config2", "1:10: 'c/d' is no name: 1 to 32 letters, digits, -, _ and ."),
      (
        "phases a config1 until=1MB config2",
        "1:24: until is established, a number of octets with KiB, MiB, GiB, or a time with us, ms, s, not '1MB'"
      ),
      (
        "phases a config1 until=establishd config2",
        "1:24: until is established, a number of octets with KiB, MiB, GiB, or a time with us, ms, s, not 'establishd'; "
          + "did you mean established?"
      ),
      (
        "phases a config1 until=3GiB config2",
        "1:24: until is established, 1 to 2147483648 octets, or 1us to 86400s"
      ),
      ("phases a config1 until=0 config2", "1:24: until is established, 1 to 2147483648 octets, or 1us to 86400s"),
      ("phases a config1 until=86401s config2", "1:24: until is established, 1 to 2147483648 octets, or 1us to 86400s"),
      (
        "phases a config1 until=1s config2 until=established config1",
        "1:41: only the first phase can end with the handshake"
      ),
      (
        "phases a config1 until=1MiB config2 until=5s config1 until=1024KiB config2",
        "1:60: a phase ends later than those before it: until counts from the beginning of the connection"
      ),
      (
        "phases a " + (1...8).map { "config1 until=\($0)s " }.joined() + "config2",
        "1:146: there are 9 phases, and may be 8"
      ),
      (
        "phases a config1 until=1s config2\nphases b a until=1s config2",
        "2:10: 'a' are phases, and here stands a configuration"
      ),
      (
        "phases a config1 until=1s config2\nconfiguration b extends=a",
        "2:25: 'a' are phases, and here stands a configuration"
      ),
      (
        "phases a config1 until=1s config2\nconfiguration a", "2:15: there are phases a already, on line 1"
      ),
      (
        "configuration a\nphases a config1 until=1s config2", "2:8: there is a configuration a already, on line 1"
      ),
      (
        "phases fast config1 until=1s config2\nrule configuration=fats",
        "2:20: there is no configuration 'fats' above; did you mean fast?"
      ),
      ("configuration a ecn=set", "1:21: ecn is keep, clear, offer, not 'set'"),
      ("configuration a maximumSegmentSize=65536", "1:36: maximumSegmentSize is 0 to 65535 octets, not 65536"),
      (
        "configuration a stripOptions=timestamp,unknown",
        "1:30: stripOptions is none, or of timestamps,windowScale,sackPermitted,fastOpen,unknown, not 'timestamp'; did you "
          + "mean timestamps?"
      ),
      (
        "configuration a addOptions=maximumSegmentsize",
        "1:28: addOptions is none, or of maximumSegmentSize, not 'maximumSegmentsize'; did you mean maximumSegmentSize?"
      ),
      (
        "configuration a stripOptions=unknown,",
        "1:30: stripOptions is none, or of timestamps,windowScale,sackPermitted,fastOpen,unknown, not ''"
      ),
      ("rule dscp=46", "1:1: a rule says which configuration: rule KEY=VALUE ... configuration=NAME"),
      ("rule configuration=bulk", "1:20: there is no configuration 'bulk' above"),
      ("rule sorce=10.0.0.1 configuration=config1", "1:6: a rule can't ask for 'sorce'; did you mean source?"),
      ("rule source=10.0.0 configuration=config1", "1:13: '10.0.0' is no prefix: 10.0.0.0/8, fd00::/8, or an address"),
      (
        "rule source=10.0.0.1/8 configuration=config1", "1:1: the address of source has bits that its prefix leaves out"
      ),
      ("rule source=10.0.0.0/40 configuration=config1", "1:1: the prefix of source has 0 to 32 bits, not 40"),
      ("rule guestPort=70000 configuration=config1", "1:16: guestPort is a port, or a range as 5201-5210, not '70000'"),
      ("rule guestPort=9-8 configuration=config1", "1:1: the ports of guest end at 8 and begin at 9"),
      ("rule vlan=4095 configuration=config1", "1:1: a VLAN is 0 to 4094, not 4095"),
      ("rule vlan=x configuration=config1", "1:11: vlan is 0 to 4294967295 or none, not 'x'"),
      ("rule vlan=none innerVLAN=5 configuration=config1", "1:1: there is no inner VLAN tag without an outer one"),
      ("rule dscp=64 configuration=config1", "1:11: dscp is 0 to 63, not '64'"),
      ("rule opener=host configuration=config1", "1:13: opener is guest or network, not 'host'"),
      (
        "rule guest=10.0.0.1 network=fd00::1 configuration=config1",
        "1:1: both ends of a connection have IPv4 addresses, or both have IPv6 addresses"
      ),
    ])
  func mistakes(text: String, told: String) {
    #expect(errors(text) == [told])
  }

  @Test("Numbers beyond what can be counted are beyond the range", arguments: ["tailSize", "minimumTimeout"])
  func hugeNumbers(key: String) {
    let unit = key == "tailSize" ? "GiB" : "s"
    for digits in ["9999999999", "8589934592", "99999999999999999999"] {
      let told = errors("configuration a \(key)=\(digits)\(unit)")
      #expect(told.count == 1 && told[0].contains("\(key) is "), "\(told)")
    }
  }

  @Test("A rule that names a configuration in which something is wrong is no mistake")
  func noneFollows() {
    #expect(errors("configuration a extends=b\nrule configuration=a").count == 1)
  }

  @Test("All mistakes are told at once, up to twenty, in their order")
  func several() {
    let text = """
      default mode=x tailSize=y
      configuration a vlan=1

      rule configuration=b source=z
      """
    #expect(errors(text).map { String($0.prefix { $0 != " " }) } == ["1:14:", "1:25:", "2:17:", "4:20:", "4:29:"])
    #expect(errors(String(repeating: "x\n", count: 100)).count == 20)
  }

  @Test("Too much of anything is told where it begins to be too much")
  func limits() {
    let rules = String(repeating: "rule configuration=config1\n", count: 1025)
    #expect(errors(rules) == ["1025:1: there are 1025 rules, and may be 1024"])
    let configurations = (0..<254).map { "configuration c\($0)\n" }.joined()
    #expect(errors(configurations) == ["254:15: there are 254 configurations, and may be 253"])
    // Those beyond are not kept.
    #expect(errors(configurations + "configuration more\nrule configuration=more").count == 3)
    let padded = "rule configuration=default" + String(repeating: " ", count: 4070)
    #expect(padded.utf8.count == 4096 && errors(padded).isEmpty)
    #expect(errors("\n" + padded + "#") == ["2:4097: a line has at most 4096 octets"])
    let phases = configurations.split(separator: "\n").prefix(252).joined(separator: "\n")
    #expect(
      errors(phases + "\nphases x c1 until=1s c2") == ["253:8: there are 254 configurations and phases, and may be 253"]
    )
    // Nor are those of phases, each of which is compared with all before it.
    let many = (0..<254).map { "phases p\($0) config1 until=1s config2\n" }.joined()
    #expect(errors(many) == ["254:8: there are 254 configurations and phases, and may be 253"])
    let classes = (0..<256).map { "rule configuration=config1 class=k\($0)\n" }.joined()
    #expect(errors(classes) == ["256:1: there may be 256 classes"])
  }

  @Test(
    "Whatever octets there are, the answer is a policy or mistakes in printable text",
    arguments: 0..<40 as Range<UInt64>)
  func anything(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let good = """
      default mode=early transmitBufferSize=4MiB
      configuration a extends=config1 congestionAlgorithm=cubic
      phases p a until=established config1 until=1MiB config2 until=5s a
      rule source=fd00::1:0/112 vlan=5 sourcePort=1-2 dscp=3 configuration=a class=b
      """
    for _ in 0..<100 {
      var bytes = Array(good.utf8)
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = .random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        default: bytes.insert(contentsOf: bytes[0..<min(place, 40)], at: place)
        }
      }
      for error in errors(String(decoding: bytes, as: UTF8.self)) {
        #expect(error.utf8.allSatisfy { (0x20..<0x7f).contains($0) }, "\(error)")
        #expect(error.utf8.count < 400)
      }
    }
  }
}
