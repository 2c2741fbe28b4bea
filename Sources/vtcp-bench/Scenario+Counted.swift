// SPDX-License-Identifier: Apache-2.0

import Virtio

extension Scenario {
  /// Those whose instructions are counted: each direction and way, format and size.
  static let counted: [Scenario] = RingFormat.both.flatMap { format in
    [Content.small, .full, .large].flatMap { content in
      [
        Scenario(name: "transmit null", direction: .transmit, network: .null),
        Scenario(name: "transmit socket", direction: .transmit),
        // Small frames are staged, large ones read in place.
        Scenario(name: "receive one-pair", direction: .receive, features: allOffloads),
        // Two queue pairs share one queue of the uplink: all frames are staged.
        Scenario(name: "receive steered", direction: .receive, pairs: 2, features: allOffloads),
      ].map { scenario in
        var scenario = scenario
        scenario.format = format
        scenario.content = content
        // As Linux does it: a large frame lies in pages, and buffers for it are of about a page.
        guard content == .large else { return scenario }
        if scenario.direction == .transmit { scenario.shape = .indirect }
        scenario.bufferBytes = scenario.direction == .transmit ? 68 << 10 : 4096
        return scenario
      }
    }
  }

  /// "split 64 transmit null".
  var title: String {
    let size =
      switch content {
      case .small: "64"
      case .full: "1500"
      case .segmented: "600/200"
      case .large: "64K"
      }
    return "\(format) \(size) \(name)"
  }

  /// Frames that fit into the socket and the ring at once: half of those of the larger count.
  var countedFrames: Int { content == .large ? 1 : 32 }
}
