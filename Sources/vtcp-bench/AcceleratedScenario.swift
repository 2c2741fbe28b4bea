// SPDX-License-Identifier: Apache-2.0

import Virtio

/// One way for a connection's data through the NIC and the vTCP module, which acknowledges them early.
struct AcceleratedScenario {
  var name: String
  var direction: Scenario.Direction
  /// 45 segments at once.
  var isLarge = false
  /// What is counted is what the module sends again: so many segments of what had passed before were lost.
  var isLossy = false
  var format = RingFormat.split

  static let all: [AcceleratedScenario] = RingFormat.both.flatMap { format in
    [
      AcceleratedScenario(name: "early, transmit", direction: .transmit, format: format),
      AcceleratedScenario(name: "early, transmit, TSO", direction: .transmit, isLarge: true, format: format),
      AcceleratedScenario(name: "early, transmit, sent again", direction: .transmit, isLossy: true, format: format),
      AcceleratedScenario(name: "early, receive", direction: .receive, format: format),
      AcceleratedScenario(name: "early, receive, TSO", direction: .receive, isLarge: true, format: format),
      AcceleratedScenario(name: "early, receive, sent again", direction: .receive, isLossy: true, format: format),
    ]
  }
}
