// SPDX-License-Identifier: Apache-2.0

import TCPPolicy

// The one table of knobs: what the reader, the compiler, the schema and docs/policy-language.md go by.

extension Knob {
  private static let auto = KnobWord("auto", 0)

  public var parts: KnobParts {
    switch self {
    case .buffer, .advertise, .rate: .each
    case .congestionControl, .initialCongestionWindow, .slowStartThreshold, .additiveIncrease, .multiplicativeDecrease,
      .dupAckThreshold, .usesHyStart, .isPaced:
      .network
    case .earlyAck, .leastRoundTrip, .outOfOrderStoreSize, .tailSize, .windowScale, .shutWindow, .windowClamp,
      .receiveRecovery, .minimumTimeout, .maximumTimeout, .maximumTimeouts, .acknowledgmentDelay, .bufferWeight,
      .servingWeight, .sendsLarge, .firstStage, .largeSendMTU, .maximumSegmentSize, .ecn, .stripOptions, .addOptions:
      .both
    }
  }

  /// Bounds are those of docs/policy.md, but where a word stands for the end of a range.
  public var kind: KnobKind {
    switch self {
    case .earlyAck:
      .choice([
        KnobChoice("on", "early"), KnobChoice("off"), KnobChoice("observe", "limit"), KnobChoice("snoop"),
        KnobChoice("limit"),
      ])
    case .leastRoundTrip, .minimumTimeout, .maximumTimeout, .acknowledgmentDelay: .time(bounds)
    case .buffer, .outOfOrderStoreSize, .tailSize: .size(bounds)
    case .windowClamp: .size(bounds, word: KnobWord("none", 0))
    case .maximumSegmentSize: .count(bounds, word: KnobWord("keep", 0))
    case .slowStartThreshold: .size(bounds, word: KnobWord("auto", Int(UInt32.max)))
    case .advertise: .choice([KnobChoice("auto"), KnobChoice("buffer"), KnobChoice("receiver")])
    case .windowScale: .choice([KnobChoice("keep"), KnobChoice("strip")])
    case .shutWindow: .choice([KnobChoice("keepPromise"), KnobChoice("stop")])
    case .congestionControl:
      .choice([
        KnobChoice("reno", "newReno"), KnobChoice("newreno", "newReno"), KnobChoice("cubic"), KnobChoice("bic"),
        KnobChoice("none"), KnobChoice("newReno"), KnobChoice("highSpeed"), KnobChoice("scalable"),
        KnobChoice("westwood"), KnobChoice("vegas"), KnobChoice("illinois"), KnobChoice("hTCP"), KnobChoice("dctcp"),
        KnobChoice("bbr"), KnobChoice("bbr3"),
      ])
    case .initialCongestionWindow: .count(1...bounds.upperBound, word: Self.auto)
    case .additiveIncrease: .fraction(bounds)
    case .multiplicativeDecrease: .fraction(1...bounds.upperBound, word: Self.auto)
    case .dupAckThreshold, .maximumTimeouts, .bufferWeight, .servingWeight: .count(bounds)
    case .usesHyStart, .isPaced, .sendsLarge: .toggle
    case .receiveRecovery: .choice([KnobChoice("simple"), KnobChoice("full")])
    case .firstStage, .largeSendMTU: .choice([KnobChoice("auto")])
    case .ecn: .choice([KnobChoice("keep"), KnobChoice("clear"), KnobChoice("offer")])
    case .stripOptions: .options(HeaderOverrides.strippable.map(\.name))
    case .addOptions: .options(HeaderOverrides.addable.map(\.name))
    case .rate: .rate(Shaping.allowed)
    }
  }

  /// The fields of `FlowConfiguration` with bounds of their own, whose names are keys of docs/policy.md; of two directions the first.
  private var bounds: ClosedRange<Int> {
    ConfigurationField(rawValue: flatKeys.first ?? "")?.allowed ?? 0...0
  }

  /// The keys of docs/policy.md that it becomes; two: guest to network, and network to guest. None: it says only what is so anyway.
  public var flatKeys: [String] {
    switch self {
    case .earlyAck: ["mode"]
    case .buffer: ["transmitBufferSize", "receiveBufferSize"]
    case .advertise: ["transmitWindow", "receiveWindow"]
    case .windowScale: ["stripOptions"]
    case .congestionControl: ["congestionAlgorithm"]
    case .multiplicativeDecrease: ["keepFactor"]
    case .dupAckThreshold: ["duplicateAcknowledgmentThreshold"]
    case .sendsLarge: ["sendsLarge"]
    case .firstStage, .largeSendMTU: []
    case .rate: ["transmitRate", "receiveRate"]
    case .leastRoundTrip, .outOfOrderStoreSize, .tailSize, .shutWindow, .windowClamp, .initialCongestionWindow,
      .slowStartThreshold, .additiveIncrease, .usesHyStart, .isPaced, .receiveRecovery, .minimumTimeout,
      .maximumTimeout, .maximumTimeouts, .acknowledgmentDelay, .bufferWeight, .servingWeight, .maximumSegmentSize,
      .ecn, .stripOptions, .addOptions:
      [rawValue]
    }
  }

  /// What counts if nobody sets it: what a `FlowConfiguration` begins with.
  var builtIn: KnobValue {
    switch self {
    case .earlyAck: .word("on")
    case .leastRoundTrip: .number(1_000_000)
    case .buffer: .number(4 << 20)
    case .outOfOrderStoreSize, .tailSize, .windowClamp, .initialCongestionWindow, .multiplicativeDecrease,
      .maximumSegmentSize, .rate:
      .number(0)
    case .advertise, .firstStage, .largeSendMTU: .word("auto")
    case .windowScale, .ecn: .word("keep")
    case .shutWindow: .word("keepPromise")
    case .congestionControl: .word("cubic")
    case .slowStartThreshold: .number(Int(UInt32.max))
    case .additiveIncrease: .number(1024)
    case .dupAckThreshold: .number(3)
    case .usesHyStart, .isPaced, .sendsLarge: .word("on")
    case .receiveRecovery: .word("simple")
    case .minimumTimeout: .number(200_000_000)
    case .maximumTimeout: .number(60_000_000_000)
    case .maximumTimeouts: .number(15)
    case .acknowledgmentDelay: .number(2_000_000)
    case .bufferWeight, .servingWeight: .number(1)
    case .stripOptions, .addOptions: .words([])
    }
  }

  public var application: KnobApplication {
    switch self {
    case .earlyAck, .buffer, .bufferWeight: .draining
    case .initialCongestionWindow, .slowStartThreshold, .windowScale, .maximumSegmentSize, .ecn, .stripOptions,
      .addOptions:
      .nextConnection
    case .leastRoundTrip, .outOfOrderStoreSize, .tailSize, .advertise, .shutWindow, .windowClamp, .congestionControl,
      .additiveIncrease, .multiplicativeDecrease, .dupAckThreshold, .usesHyStart, .isPaced, .receiveRecovery,
      .minimumTimeout, .maximumTimeout, .maximumTimeouts, .acknowledgmentDelay, .servingWeight, .sendsLarge,
      .firstStage, .largeSendMTU, .rate:
      .live
    }
  }
}
