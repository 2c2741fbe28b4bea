// SPDX-License-Identifier: Apache-2.0

import Timekeeping

extension FlowConfiguration {
  /// Itself, if each field is in its range and none is at odds with another; else what is wrong with the first that is not.
  public func validated() throws(ConfigurationError) -> FlowConfiguration {
    for field in ConfigurationField.allCases {
      let value = self[field]
      guard allowed(field).contains(value) else {
        throw ConfigurationError(field: field, value: value, allowed: allowed(field))
      }
    }
    return self
  }

  /// The value of a field, in its unit.
  subscript(field: ConfigurationField) -> Int {
    get {
      switch field {
      case .transmitBufferSize: Int(transmitBufferSize)
      case .receiveBufferSize: Int(receiveBufferSize)
      case .outOfOrderStoreSize: Int(outOfOrderStoreSize)
      case .tailSize: Int(tailSize)
      case .slowStartThreshold: Int(slowStartThreshold)
      case .initialCongestionWindow: Int(initialCongestionWindow)
      case .keepFactor: Int(keepFactor)
      case .additiveIncrease: Int(additiveIncrease)
      case .duplicateAcknowledgmentThreshold: Int(duplicateAcknowledgmentThreshold)
      case .maximumTimeouts: Int(maximumTimeouts)
      case .bufferWeight: Int(bufferWeight)
      case .servingWeight: Int(servingWeight)
      case .acknowledgmentDelay: Int(acknowledgmentDelay.nanoseconds)
      case .leastRoundTrip: Int(leastRoundTrip.nanoseconds)
      case .minimumTimeout: Int(minimumTimeout.nanoseconds)
      case .maximumTimeout: Int(maximumTimeout.nanoseconds)
      case .maximumSegmentSize: Int(overrides.maximumSegmentSize)
      case .windowClamp: Int(overrides.windowClamp)
      }
    }
    // What does not fit becomes the nearest that does: ranges are looked at elsewhere.
    set {
      switch field {
      case .transmitBufferSize: transmitBufferSize = UInt32(clamping: newValue)
      case .receiveBufferSize: receiveBufferSize = UInt32(clamping: newValue)
      case .outOfOrderStoreSize: outOfOrderStoreSize = UInt32(clamping: newValue)
      case .tailSize: tailSize = UInt32(clamping: newValue)
      case .slowStartThreshold: slowStartThreshold = UInt32(clamping: newValue)
      case .initialCongestionWindow: initialCongestionWindow = UInt16(clamping: newValue)
      case .keepFactor: keepFactor = UInt16(clamping: newValue)
      case .additiveIncrease: additiveIncrease = UInt16(clamping: newValue)
      case .duplicateAcknowledgmentThreshold: duplicateAcknowledgmentThreshold = UInt8(clamping: newValue)
      case .maximumTimeouts: maximumTimeouts = UInt8(clamping: newValue)
      case .bufferWeight: bufferWeight = UInt8(clamping: newValue)
      case .servingWeight: servingWeight = UInt8(clamping: newValue)
      case .acknowledgmentDelay: acknowledgmentDelay = .nanoseconds(Int64(newValue))
      case .leastRoundTrip: leastRoundTrip = .nanoseconds(Int64(newValue))
      case .minimumTimeout: minimumTimeout = .nanoseconds(Int64(newValue))
      case .maximumTimeout: maximumTimeout = .nanoseconds(Int64(newValue))
      case .maximumSegmentSize: overrides.maximumSegmentSize = UInt16(clamping: newValue)
      case .windowClamp: overrides.windowClamp = UInt32(clamping: newValue)
      }
    }
  }

  /// What a field may be beside the others. The shortest timeout was looked at before the longest.
  private func allowed(_ field: ConfigurationField) -> ClosedRange<Int> {
    guard field == .maximumTimeout else { return field.allowed }
    let range = field.allowed
    return min(max(range.lowerBound, self[.minimumTimeout]), range.upperBound)...range.upperBound
  }
}
