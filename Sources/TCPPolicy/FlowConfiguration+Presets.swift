// SPDX-License-Identifier: Apache-2.0

import CongestionControl

extension FlowConfiguration {
  /// config1 of FIG. 16 (R13).
  public static let config1 = FlowConfiguration(bufferSize: 100_000, .newReno)
  /// config2 of FIG. 16 (R13).
  public static let config2 = FlowConfiguration(bufferSize: 300_000, .cubic)

  /// What every policy knows by name.
  static let presets = [
    NamedConfiguration(name: PolicyName(literal: "config1"), configuration: .config1),
    NamedConfiguration(name: PolicyName(literal: "config2"), configuration: .config2),
  ]

  /// The fields of FIG. 16 that its two configurations share, and ours for all else.
  private init(bufferSize: UInt32, _ algorithm: CongestionAlgorithm) {
    self.init()
    transmitBufferSize = bufferSize
    receiveBufferSize = bufferSize
    congestionAlgorithm = algorithm
    duplicateAcknowledgmentThreshold = 2
    initialCongestionWindow = 10
    slowStartThreshold = 10_000
  }
}
