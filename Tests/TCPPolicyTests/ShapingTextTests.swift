// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TCPPolicy

@Suite("Policy: the rate of the VM, as it is written")
struct ShapingTextTests {
  private func parse(_ text: String) throws -> Shaping {
    try Classifier(parsing: text, fallback: FlowConfiguration()).shaping
  }

  @Test(
    "Rates are told in bits per second, each direction for itself",
    arguments: [
      ("", 0, 0), ("default mode=early", 0, 0), ("shape transmitRate=none receiveRate=none", 0, 0),
      ("shape transmitRate=100Mbit/s", 100_000_000, 0), ("shape receiveRate=1Gbit/s", 0, 1_000_000_000),
      ("shape receiveRate=64kbit/s transmitRate=1000Gbit/s # as fast as it goes", 1_000_000_000_000, 64_000),
      ("rule protocol=tcp configuration=config1\nshape receiveRate=2500Mbit/s\n", 0, 2_500_000_000),
    ])
  func rates(text: String, transmit: Int, receive: Int) throws {
    #expect(try parse(text) == Shaping(transmitRate: transmit, receiveRate: receive))
  }

  @Test(
    "What is wrong is said, and what may have been meant",
    arguments: [
      ("shape", "1:1: a shape says a rate: shape transmitRate=100Mbit/s receiveRate=1Gbit/s"),
      (
        "shpae transmitRate=1Mbit/s",
        "1:1: a line begins with default, configuration, phases, rule, shape or limit, not 'shpae'; did you mean shape?"
      ),
      ("shape transmitrate=1Mbit/s", "1:7: there is no 'transmitrate' in a shape; did you mean transmitRate?"),
      ("shape transmitRate", "1:7: 'transmitRate' says nothing: KEY=VALUE"),
      ("shape transmitRate=", "1:20: 'transmitRate' has no value"),
      ("shape transmitRate=1Mbit/s transmitRate=2Mbit/s", "1:28: 'transmitRate' stands twice on this line"),
      ("shape transmitRate=5", "1:20: transmitRate is none, or a number with bit/s, kbit/s, Mbit/s, Gbit/s, not '5'"),
      (
        "shape receiveRate=5Mbits",
        "1:19: receiveRate is none, or a number with bit/s, kbit/s, Mbit/s, Gbit/s, not '5Mbits'; did you mean 5Mbit/s?"
      ),
      (
        "shape receiveRate=-5Mbit/s",
        "1:19: receiveRate is none, or a number with bit/s, kbit/s, Mbit/s, Gbit/s, not '-5Mbit/s'"
      ),
      ("shape receiveRate=0kbit/s", "1:19: receiveRate is 64kbit/s to 1000Gbit/s, not '0kbit/s'"),
      ("shape receiveRate=63999bit/s", "1:19: receiveRate is 64kbit/s to 1000Gbit/s, not '63999bit/s'"),
      ("shape receiveRate=1001Gbit/s", "1:19: receiveRate is 64kbit/s to 1000Gbit/s, not '1001Gbit/s'"),
      ("shape receiveRate=9999999999Gbit/s", "1:19: receiveRate is 64kbit/s to 1000Gbit/s, not '9999999999Gbit/s'"),
      ("shape receiveRate=1Gbit/s\n\nshape transmitRate=1Gbit/s", "3:1: there is a shape already, on line 1"),
    ])
  func mistakes(text: String, expected: String) {
    do {
      _ = try Classifier(parsing: text, fallback: FlowConfiguration())
      Issue.record("\(text) was taken")
    } catch {
      #expect(error.errors.map(\.description) == [expected])
    }
  }
}
