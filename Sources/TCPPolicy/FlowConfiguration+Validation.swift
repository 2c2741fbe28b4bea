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
    }
  }

  /// What a field may be beside the others. The shortest timeout was looked at before the longest.
  private func allowed(_ field: ConfigurationField) -> ClosedRange<Int> {
    guard field == .maximumTimeout else { return field.allowed }
    let range = field.allowed
    return min(max(range.lowerBound, self[.minimumTimeout]), range.upperBound)...range.upperBound
  }
}
