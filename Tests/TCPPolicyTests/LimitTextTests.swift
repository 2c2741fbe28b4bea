// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TCPPolicy

@Suite("Policy: how many connections are followed, as it is written")
struct LimitTextTests {
  @Test(
    "The number stands on a line of its own, anywhere",
    arguments: [
      ("", nil), ("limit flows=1", 1), ("limit flows=16777216 # all", 16_777_216),
      ("default mode=early\nlimit flows=4096\nrule protocol=tcp configuration=config1", 4096),
    ] as [(String, Int?)])
  func numbers(text: String, expected: Int?) throws {
    #expect(try Classifier(parsing: text, fallback: FlowConfiguration()).flowLimit == expected)
  }

  @Test(
    "What is wrong is said, and what may have been meant",
    arguments: [
      ("limit", "1:1: a limit says a number: limit flows=4096"),
      (
        "limits flows=5",
        "1:1: a line begins with default, configuration, phases, rule, shape or limit, not 'limits'; did you mean limit?"
      ),
      ("limit flow=5", "1:7: there is no 'flow' in a limit; it says flows=NUMBER"),
      ("limit flows=5 flows=6", "1:15: 'flows' stands twice on this line"),
      ("limit flows=0", "1:13: flows is 1 to 16777216, not '0'"),
      ("limit flows=16777217", "1:13: flows is 1 to 16777216, not '16777217'"),
      ("limit flows=99999999999999999999", "1:13: flows is 1 to 16777216, not '99999999999999999999'"),
      ("limit flows=+5", "1:13: flows is 1 to 16777216, not '+5'"),
      ("limit flows=none", "1:13: flows is 1 to 16777216, not 'none'"),
      ("limit flows=5\n\nlimit flows=5", "3:1: there is a limit already, on line 1"),
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
