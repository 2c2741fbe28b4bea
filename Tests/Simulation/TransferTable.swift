// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import TCPPolicy
import VTCP

/// Transfers over paths of several kinds, by each algorithm and without the module: the same figures on every machine, so that a change of
/// behaviour shows as a change of `docs/transfers.txt`.
public enum TransferTable {
  private static let transfers = [
    SimulatedTransfer(.network, roundTrip: 2, rate: 100),
    SimulatedTransfer(.network, roundTrip: 20, rate: 20),
    SimulatedTransfer(.network, roundTrip: 20, rate: 20, queue: 4),
    SimulatedTransfer(.network, roundTrip: 20, rate: 20, queue: 0.25),
    SimulatedTransfer(.network, roundTrip: 20, rate: 20, loss: 10),
    SimulatedTransfer(.network, roundTrip: 100, rate: 20),
    SimulatedTransfer(.network, roundTrip: 10, rate: 100, stalls: true),
    SimulatedTransfer(.network, roundTrip: 20, rate: 20, loss: 10, stalls: true),
    SimulatedTransfer(.guest, roundTrip: 10, rate: 100),
    SimulatedTransfer(.guest, roundTrip: 10, rate: 100, stalls: true),
  ]

  public static func text() throws(Broken) -> String {
    var lines = [
      "Simulated transfers of 2 MB, in virtual time (Tests/Simulation/TransferTable.swift). Milliseconds until the sender has all acknowledged,",
      "and until the receiver has it; segments that the sender sent again, and the module towards the receiver.",
      "`vtcp-simulate --transfers` prints it; Scripts/test compares.", "", SimulatedTransfer.header,
    ]
    for transfer in transfers {
      try lines.append(transfer.row(.off, .none))
      try lines.append(transfer.row(.snoop, .cubic))
      // Towards the guest there is none by default (R33).
      let algorithms = transfer.isToGuest ? [.none] : CongestionAlgorithm.allCases
      for algorithm in algorithms { try lines.append(transfer.row(.early, algorithm)) }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
