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
}
