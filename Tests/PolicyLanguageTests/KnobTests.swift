// SPDX-License-Identifier: Apache-2.0
import PolicyLanguage
import TCPPolicy
import Testing
import Timekeeping

@Suite("Policy language: knobs") struct KnobTests {
  private func configuration(_ settings: String) throws -> FlowConfiguration {
    let compiled = try Sample.policy("classes: { a: { \(settings) } }\ndefault: a").compile(for: NICFacts(vm: "a"))
    #expect(compiled.mistakes == [])
    // What a NIC begins with does not matter.
    var other = FlowConfiguration()
    other.mode = .off
    other.leastRoundTrip = .zero
    return try Classifier(parsing: compiled.text, fallback: other).configuration(0)
  }

  @Test("Without a class all is as a configuration begins")
  func builtIn() throws { #expect(try configuration("") == FlowConfiguration()) }

  @Test("What is built in can be said, knob by knob", arguments: Knob.allCases)
  func shown(_ knob: Knob) throws {
    let compiled = try Sample.policy("rules: []").compile(for: NICFacts(vm: "a"))
    let value = compiled.origins[0].knobs.first { $0.knob == knob && !$0.name.hasPrefix("rx.") }?.value
    let text = try #require(value).replacing(" ", with: "")
    let key = knob.group.map { "\($0): { \(knob.key): \(text) }" } ?? "\(knob.key): \(text)"
    #expect(try configuration(key) == FlowConfiguration())
  }

  @Test("Each key of docs/policy.md can be said: one knob has it")
  func flatKeys() {
    let choices = [
      "mode", "transmitWindow", "receiveWindow", "shutWindow", "receiveRecovery", "congestionAlgorithm", "usesHyStart",
      "isPaced", "sendsLarge", "ecn", "stripOptions", "addOptions", "transmitRate", "receiveRate",
    ]
    let flat = Set(Knob.allCases.flatMap(\.flatKeys))
    #expect(flat == Set(choices + ConfigurationField.allCases.map(\.rawValue)))
  }

  @Test(
    "A knob becomes what docs/policy.md calls it",
    arguments: [
      ("earlyAck: on", "mode=early"), ("earlyAck: off", "mode=off"), ("earlyAck: false", "mode=off"),
      ("earlyAck: snoop", "mode=snoop"), ("earlyAck: limit", "mode=limit"),
      ("earlyAck: observe, congestionControl: bic", "mode=limit congestionAlgorithm=none"),
      ("leastRoundTrip: 0", "leastRoundTrip=0"), ("buffer: 0", "transmitBufferSize=0 receiveBufferSize=0"),
      ("tx: { buffer: 3MiB }", "transmitBufferSize=3MiB"), ("rx: { buffer: 3000 }", "receiveBufferSize=3000"),
      ("outOfOrderStoreSize: 64KiB", "outOfOrderStoreSize=64KiB"), ("tailSize: 1460", "tailSize=1460"),
      ("window: { advertise: receiver }", "transmitWindow=receiver receiveWindow=receiver"),
      ("rx: { window: { advertise: buffer } }", "receiveWindow=buffer"),
      ("window: { scale: strip }", "stripOptions=windowScale"),
      ("window: { scale: strip }, stripOptions: [unknown, timestamps]", "stripOptions=timestamps,windowScale,unknown"),
      ("stripOptions: none", "stripOptions=none"),
      ("addOptions: [maximumSegmentSize]", "addOptions=maximumSegmentSize"),
      ("shutWindow: stop", "shutWindow=stop"), ("windowClamp: 64KiB", "windowClamp=64KiB"),
      ("windowClamp: none", "windowClamp=0"), ("congestionControl: reno", "congestionAlgorithm=newReno"),
      ("congestionControl: newreno", "congestionAlgorithm=newReno"),
      ("congestionControl: bbr3", "congestionAlgorithm=bbr3"),
      ("initialCongestionWindow: 40", "initialCongestionWindow=40"),
      ("initialCongestionWindow: auto", "initialCongestionWindow=0"),
      ("slowStartThreshold: auto", "slowStartThreshold=none"),
      ("slowStartThreshold: 64KiB", "slowStartThreshold=64KiB"), ("additiveIncrease: 4", "additiveIncrease=4096"),
      ("additiveIncrease: 0.5", "additiveIncrease=512"), ("multiplicativeDecrease: 0.75", "keepFactor=768"),
      ("multiplicativeDecrease: auto", "keepFactor=0"), ("dupAckThreshold: 1", "duplicateAcknowledgmentThreshold=1"),
      ("usesHyStart: off", "usesHyStart=off"), ("isPaced: false", "isPaced=off"),
      ("receiveRecovery: full", "receiveRecovery=full"),
      ("minimumTimeout: 20ms", "minimumTimeout=20ms"), ("maximumTimeout: 10s", "maximumTimeout=10s"),
      ("maximumTimeouts: 5", "maximumTimeouts=5"), ("acknowledgmentDelay: 500us", "acknowledgmentDelay=500us"),
      ("weight: 100", "bufferWeight=100 servingWeight=100"), ("bufferWeight: 0", "bufferWeight=0"),
      ("servingWeight: 9", "servingWeight=9"), ("lso: { send: off }", "sendsLarge=off"),
      ("maximumSegmentSize: 1200", "maximumSegmentSize=1200"), ("maximumSegmentSize: keep", "maximumSegmentSize=0"),
      ("ecn: offer", "ecn=offer"),
    ])
  func flat(_ settings: String, _ text: String) throws {
    #expect(
      try configuration(settings)
        == Classifier(parsing: "default \(text)", fallback: FlowConfiguration()).configuration(0))
  }

  @Test("With full recovery a value of tx alone is refused, with simple recovery one of rx is warned of")
  func network() throws {
    #expect(try configuration("tx: { dupAckThreshold: 5 }").duplicateAcknowledgmentThreshold == 5)
    let reading = PolicyDocument.load([
      PolicySource("p", "apiVersion: vtcp/v1\nclasses: { a: { rx: { dupAckThreshold: 5 } } }\ndefault: a")
    ])
    #expect(
      reading.warnings.map(\.description) == [
        "p:2:23: warning: rx.dupAckThreshold is nothing without receiveRecovery: full: towards the guest there is a timer only"
      ])
  }
}
