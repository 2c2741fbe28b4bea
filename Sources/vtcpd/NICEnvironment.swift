// SPDX-License-Identifier: Apache-2.0

import HostService
import HostSystem
import Polling

/// What all NICs share: where they are to be, as whom, and whom they tell.
final class NICEnvironment {
  let configuration: ServiceConfiguration
  /// vtcp-nic
  let program: String
  let identities: Identities
  let loop: EventLoop
  let log: Log
  /// Tells readers of events, and the log.
  var tell: (ServiceEvent) -> Void = { _ in }
  /// The text of a NIC's policy as it is to be now; nil: it has none.
  var policyText: (SupervisedNIC) -> String? = { _ in nil }

  var paths: RunPaths { configuration.paths }

  init(configuration: ServiceConfiguration, program: String, identities: Identities, loop: EventLoop, log: Log) {
    self.configuration = configuration
    self.program = program
    self.identities = identities
    self.loop = loop
    self.log = log
  }
}
