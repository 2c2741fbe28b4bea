// SPDX-License-Identifier: Apache-2.0

/// All that a class can set, by its name in the language; with a dot: a key of a mapping. What each is stands in `Knob+Table.swift`.
public enum Knob: String, CaseIterable, Sendable {
  case earlyAck
  case leastRoundTrip
  case buffer
  case outOfOrderStoreSize
  case tailSize
  case advertise = "window.advertise"
  case windowScale = "window.scale"
  case shutWindow
  case windowClamp
  case congestionControl
  case initialCongestionWindow
  case slowStartThreshold
  case additiveIncrease
  case multiplicativeDecrease
  case dupAckThreshold
  case usesHyStart
  case isPaced
  case receiveRecovery
  case minimumTimeout
  case maximumTimeout
  case maximumTimeouts
  case acknowledgmentDelay
  case bufferWeight
  case servingWeight
  case sendsLarge = "lso.send"
  case firstStage = "lso.firstStage"
  case largeSendMTU = "lso.mtu"
  case maximumSegmentSize
  case ecn
  case stripOptions
  case addOptions
  case rate

  /// The key of a mapping that its key stands in; nil: none.
  public var group: String? {
    guard let dot = rawValue.firstIndex(of: ".") else { return nil }
    return String(rawValue[..<dot])
  }

  /// Its key, within its group.
  public var key: String {
    guard let dot = rawValue.firstIndex(of: ".") else { return rawValue }
    return String(rawValue[rawValue.index(after: dot)...])
  }

  /// What `weight` sets.
  static let weights: [Knob] = [.bufferWeight, .servingWeight]
  static let groups = ["window", "lso"]
  /// Keys that stand in a class, or in `tx` and `rx`.
  static let keys: [String] = allCases.filter { $0.group == nil }.map(\.rawValue) + groups + ["weight"]

  /// The knob that a key of docs/policy.md means, or one of its other names; nil: none.
  static func ofFlatKey(_ key: String) -> Knob? {
    if let knob = allCases.first(where: { $0.flatKeys.contains(key) }) { return knob }
    // What others call it.
    return switch key.lowercased() {
    case let name where name.hasSuffix("cwnd"): .initialCongestionWindow
    case "ssthresh", "initialssthresh": .slowStartThreshold
    case "mss": .maximumSegmentSize
    case "congestion", "cc", "algorithm": .congestionControl
    default: nil
    }
  }
}
