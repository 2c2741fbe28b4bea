// SPDX-License-Identifier: Apache-2.0

import FrameSupport
public import TCPPolicy
import Timekeeping
public import VTCP

/// Everything that a run depends on.
public struct Schedule: Sendable {
  public var seed: UInt64
  public var guest = EndParameters()
  public var network = EndParameters()
  /// Guest to module, module to guest, module to network, network to module.
  public var legs = [LegParameters](repeating: LegParameters(), count: 4)
  public var module = ModuleConfiguration()
  public var guestOpens = true
  /// What the NIC's link takes behind the Ethernet header. Bytes.
  public var linkMTU = 1500
  /// In one of how many steps, on average, the module's process is killed and another one goes on; 0: never.
  public var takeOverOdds: UInt64 = 0

  /// In one of how many steps, on average, another policy comes into force; 0: never.
  public var policyOdds: UInt64 = 0
  /// What it may be.
  public var policies: [FlowConfiguration] = []

  /// When the phases of the connection's life end, and what applies in those that follow; before the first end it is the policy's. Empty: it
  /// has none.
  public var phaseEnds: [PhaseEnd] = []
  public var phaseFlows: [FlowConfiguration] = []

  /// How fast the VM may go, as it begins and as each change of policy finds it; empty: it is not ruled.
  public var shapings: [Shaping] = []

  /// Whatever comes into force, the module keeps nothing and sends nothing.
  public var isSilent: Bool {
    let others = phaseFlows + (policyOdds > 0 ? policies : [])
    return !module.flow.mode.keepsCopies && others.allSatisfy { !$0.mode.keepsCopies }
  }

  public var hasReset: Bool { guest.resetsAt != nil || network.resetsAt != nil }

  /// Two ends of good will and a clean path.
  public init(seed: UInt64) {
    self.seed = seed
    module.flowLimit = 16
    module.chunkLimit = 256
    module.sendingLimit = 32
    module.transmissionLimit = 4096
    module.flow.leastRoundTrip = .zero
    module.flow.transmitBufferSize = 200_000
    module.flow.receiveBufferSize = 200_000
    network.timestampBase = 77_777
  }
}
