// SPDX-License-Identifier: Apache-2.0

import LossRecovery
import TCPPolicy

/// What policy says of a connection, as the packet path wants it. Trivial.
struct FlowPolicy: BitwiseCopyable, Sendable {
  let configuration: FlowConfiguration
  /// `FlowConfiguration.effectiveMode`.
  let mode: AccelerationMode
  let transmitKnobs: RecoveryKnobs
  let receiveKnobs: RecoveryKnobs

  /// - Parameter reservedRecords: of the pool of transmissions, one for each direction that may be held.
  init(_ configuration: FlowConfiguration, reservedRecords: Int) {
    self.configuration = configuration
    mode = configuration.effectiveMode
    transmitKnobs = RecoveryKnobs(configuration, isTransmit: true, reservedRecords: reservedRecords)
    receiveKnobs = RecoveryKnobs(configuration, isTransmit: false, reservedRecords: reservedRecords)
  }
}
