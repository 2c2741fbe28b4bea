// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import TCPPolicy
import Testing
import Timekeeping

@Suite("Policy: configurations")
struct ConfigurationTests {
  /// False if the field's type has no room for the value.
  private func set(_ field: ConfigurationField, to value: Int, in configuration: inout FlowConfiguration) -> Bool {
    func put<Number: FixedWidthInteger>(_ path: WritableKeyPath<FlowConfiguration, Number>) -> Bool {
      guard let number = Number(exactly: value) else { return false }
      configuration[keyPath: path] = number
      return true
    }
    switch field {
    case .transmitBufferSize: return put(\.transmitBufferSize)
    case .receiveBufferSize: return put(\.receiveBufferSize)
    case .outOfOrderStoreSize: return put(\.outOfOrderStoreSize)
    case .tailSize: return put(\.tailSize)
    case .slowStartThreshold: return put(\.slowStartThreshold)
    case .initialCongestionWindow: return put(\.initialCongestionWindow)
    case .keepFactor: return put(\.keepFactor)
    case .additiveIncrease: return put(\.additiveIncrease)
    case .duplicateAcknowledgmentThreshold: return put(\.duplicateAcknowledgmentThreshold)
    case .maximumTimeouts: return put(\.maximumTimeouts)
    case .bufferWeight: return put(\.bufferWeight)
    case .servingWeight: return put(\.servingWeight)
    case .maximumSegmentSize: return put(\.overrides.maximumSegmentSize)
    case .windowClamp: return put(\.overrides.windowClamp)
    case .acknowledgmentDelay: configuration.acknowledgmentDelay = .nanoseconds(Int64(value))
    case .leastRoundTrip: configuration.leastRoundTrip = .nanoseconds(Int64(value))
    case .minimumTimeout: configuration.minimumTimeout = .nanoseconds(Int64(value))
    case .maximumTimeout: configuration.maximumTimeout = .nanoseconds(Int64(value))
    }
    return true
  }

  private func refusal(_ configuration: FlowConfiguration) -> ConfigurationError? {
    do {
      #expect(try configuration.validated() == configuration)
      return nil
    } catch {
      return error
    }
  }

  @Test(
    "Each number is taken at both ends of its range, and refused by name beyond", arguments: ConfigurationField.allCases
  )
  func ranges(field: ConfigurationField) {
    var base = FlowConfiguration()
    // So that the timeouts don't stand in each other's way.
    base.minimumTimeout = .milliseconds(1)
    base.maximumTimeout = .seconds(3600)
    for value in [field.allowed.lowerBound, field.allowed.upperBound] {
      var configuration = base
      #expect(set(field, to: value, in: &configuration))
      #expect(refusal(configuration) == nil)
    }
    for value in [field.allowed.lowerBound - 1, field.allowed.upperBound + 1, .max, .min] {
      var configuration = base
      guard set(field, to: value, in: &configuration) else { continue }
      #expect(refusal(configuration) == ConfigurationError(field: field, value: value, allowed: field.allowed))
    }
  }

  @Test("The ranges are wide enough for the defaults, and as narrow as they are said to be")
  func promises() {
    #expect(refusal(FlowConfiguration()) == nil)
    #expect(ConfigurationField.duplicateAcknowledgmentThreshold.allowed == 1...255)
    #expect(ConfigurationField.initialCongestionWindow.allowed == 0...65_535)
    #expect(ConfigurationField.transmitBufferSize.allowed == 0...1_073_741_824)
    #expect(ConfigurationField.acknowledgmentDelay.allowed.upperBound < 500_000_000)
    #expect(ConfigurationField.keepFactor.allowed.contains(768))
    #expect(ConfigurationField.bufferWeight.allowed.contains(0))
  }

  @Test("The longest timeout is not below the shortest")
  func timeouts() {
    var configuration = FlowConfiguration()
    configuration.minimumTimeout = .seconds(3)
    configuration.maximumTimeout = .seconds(2)
    let error = refusal(configuration)
    #expect(
      error
        == ConfigurationError(field: .maximumTimeout, value: 2_000_000_000, allowed: 3_000_000_000...3_600_000_000_000))
    #expect(error?.description == "maximumTimeout is 3000000000 to 3600000000000 ns, not 2000000000")
    configuration.maximumTimeout = .seconds(3)
    #expect(refusal(configuration) == nil)
  }

  @Test(
    "A connection whose weight in the buffer is 0 is not accelerated; to be ruled it needs none",
    arguments: AccelerationMode.allCases)
  func noWeight(mode: AccelerationMode) {
    var configuration = FlowConfiguration()
    configuration.mode = mode
    #expect(configuration.effectiveMode == mode)
    configuration.bufferWeight = 0
    #expect(configuration.effectiveMode == (mode == .limit ? .limit : .off))
  }

  @Test("Each knob of congestion control comes from its field")
  func knobs() {
    var configuration = FlowConfiguration()
    configuration.congestionAlgorithm = .newReno
    configuration.isPaced = false
    configuration.duplicateAcknowledgmentThreshold = 7
    configuration.initialCongestionWindow = 3
    configuration.keepFactor = 768
    configuration.additiveIncrease = 2048
    configuration.slowStartThreshold = 12_345
    configuration.minimumTimeout = .milliseconds(7)
    configuration.maximumTimeout = .seconds(8)
    let knobs = configuration.congestionKnobs
    #expect(knobs.algorithm == .newReno && !knobs.isPaced && knobs.duplicateThreshold == 7)
    #expect(knobs.initialWindow == 3 && knobs.keepFactor == 768 && knobs.additiveIncrease == 2048)
    #expect(knobs.slowStartThreshold == 12_345)
    #expect(knobs.minimumTimeout == .milliseconds(7) && knobs.maximumTimeout == .seconds(8))
  }
}
