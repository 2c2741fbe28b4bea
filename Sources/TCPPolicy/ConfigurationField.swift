// SPDX-License-Identifier: Apache-2.0

/// A number of a `FlowConfiguration`. Its other fields are of closed types and can't be wrong.
public enum ConfigurationField: String, CaseIterable, Sendable {
  case transmitBufferSize
  case receiveBufferSize
  case outOfOrderStoreSize
  case tailSize
  case slowStartThreshold
  case initialCongestionWindow
  case keepFactor
  case additiveIncrease
  case duplicateAcknowledgmentThreshold
  case maximumTimeouts
  case bufferWeight
  case servingWeight
  case acknowledgmentDelay
  case leastRoundTrip
  case minimumTimeout
  case maximumTimeout
  case maximumSegmentSize
  case windowClamp

  /// What its values are counted in; empty for plain numbers.
  public var unit: String {
    switch self {
    case .transmitBufferSize, .receiveBufferSize, .outOfOrderStoreSize, .tailSize, .slowStartThreshold,
      .maximumSegmentSize,
      .windowClamp:
      "octets"
    case .initialCongestionWindow: "segments"
    case .keepFactor, .additiveIncrease: "1/1024"
    case .duplicateAcknowledgmentThreshold, .maximumTimeouts, .bufferWeight, .servingWeight: ""
    case .acknowledgmentDelay, .leastRoundTrip, .minimumTimeout, .maximumTimeout: "ns"
    }
  }

  /// What it may be, in its unit. `maximumTimeout` may not be below `minimumTimeout` either.
  public var allowed: ClosedRange<Int> {
    switch self {
    // No window of TCP is larger (RFC 7323, section 2.3).
    case .transmitBufferSize, .receiveBufferSize, .outOfOrderStoreSize, .tailSize: 0...1 << 30
    case .windowClamp: 0...1 << 30
    case .maximumSegmentSize: 0...Int(UInt16.max)
    case .slowStartThreshold: 0...Int(UInt32.max)
    case .initialCongestionWindow: 0...Int(UInt16.max)
    // 1024 would never give way.
    case .keepFactor: 0...1023
    case .additiveIncrease: 1...Int(UInt16.max)
    case .duplicateAcknowledgmentThreshold, .maximumTimeouts, .servingWeight: 1...Int(UInt8.max)
    case .bufferWeight: 0...Int(UInt8.max)
    // Less than half a second: RFC 1122, section 4.2.3.2.
    case .acknowledgmentDelay: 0...499_000_000
    case .leastRoundTrip: 0...60_000_000_000
    case .minimumTimeout: 1_000_000...60_000_000_000
    case .maximumTimeout: 1_000_000_000...3_600_000_000_000
    }
  }
}
