// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import TCPPolicy
import VTCP
import Wire

extension Schedule {
  /// Generation 20: headers that policy changes, each of them, and that another policy or phase changes otherwise, also between SYN and SYN-ACK.
  mutating func drawOverrides() {
    var random = SplitMix64(seed: seed ^ 0x6f76_6572_7269_6465)
    func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
    func draw(_ flow: inout FlowConfiguration) {
      flow.overrides.maximumSegmentSize = pick([0, 0, 64, 200, 536, 900])
      flow.overrides.windowClamp = pick([0, 0, 1, 1_500, 5_000, 20_000, 200_000])
      flow.overrides.ecn = pick([flow.overrides.ecn, .keep, .clear, .offer])
      let combination = pick([0, random.next() % 32])
      for (place, option) in HeaderOverrides.strippable.enumerated() where combination >> UInt64(place) & 1 == 1 {
        flow.overrides.strippedOptions.insert(option.kinds)
      }
    }
    draw(&module.flow)
    for place in policies.indices { draw(&policies[place]) }
    for place in phaseFlows.indices { draw(&phaseFlows[place]) }
    let others: [[UInt8]] = [[], [34, 2], [253, 4, 1, 2], [34, 2, 253, 4, 1, 2]]
    guest.extraOptions = pick(others)
    network.extraOptions = pick(others)
    guest.hasECN = pick([guest.hasECN, true])
    policyOdds = pick([policyOdds, policyOdds, 4, 60])
    let sizes = ([module.flow] + policies).map(\.overrides.maximumSegmentSize).filter { $0 > 0 }
    guard let least = sizes.min() else { return }
    guest.streamLength = min(guest.streamLength, 200 * Int(least))
    network.streamLength = min(network.streamLength, 200 * Int(least))
  }
}
