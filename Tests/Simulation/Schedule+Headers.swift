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
  /// Generation 21: SYNs without a segment size, and policy that says one in their place, for some with a header that is full.
  mutating func drawAdditions() {
    var random = SplitMix64(seed: seed ^ 0x6164_6469_7469_6f6e)
    func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
    func draw(_ flow: inout FlowConfiguration) {
      flow.overrides.addedOptions = pick([.maximumSegmentSize, .maximumSegmentSize, []])
      flow.overrides.maximumSegmentSize = pick([flow.overrides.maximumSegmentSize, 0, 1_460])
    }
    func draw(_ end: inout EndParameters) {
      end.saysSegmentSize = pick([false, false, true])
      if end.isIPv6 { end.unsaidSegmentSize = pick([536, 1_220]) }
      // Sixty octets with the options that an end has at most.
      if !end.saysSegmentSize { end.extraOptions = pick([end.extraOptions, [253, 20] + (0..<18).map { $0 }]) }
    }
    draw(&module.flow)
    for place in policies.indices { draw(&policies[place]) }
    for place in phaseFlows.indices { draw(&phaseFlows[place]) }
    draw(&guest)
    draw(&network)
    linkMTU = pick([1_500, 1_500, 1_280, 576, 68, 9_000])
  }
}
