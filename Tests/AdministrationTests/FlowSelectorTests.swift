// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import Testing

@testable import Administration

@Suite struct FlowSelectorTests {
  private static let flow: JSONValue = [
    "guest": ["address": "10.0.2.15", "port": 43210], "network": ["address": "2001:db8::1", "port": 443],
  ]

  @Test(
    "A connection is meant by one end or both, in either order",
    arguments: [
      ("10.0.2.15", true), ("10.0.2.15:43210", true), (":443", true), ("[2001:db8::1]:443", true),
      ("2001:DB8::1", true),
      ("tcp 10.0.2.15:43210 > [2001:db8:0::1]:443", true), (":443 10.0.2.15", true), ("10.0.2.15:443", false),
      (":44", false),
      ("10.0.2.15 10.0.2.15", false),
    ])
  func matching(text: String, isMeant: Bool) throws {
    #expect(try FlowSelector(parsing: [text]).matches(Self.flow) == isMeant)
  }

  @Test(
    "What is no end of a connection is refused with the way to write one",
    arguments: [
      "", "tcp", "a b c", "10.0.0.256", "10.0.0.1:99999", "[10.0.0.1]:5", "[::1", "::1:", "x:1", ":", "10.0.0.1:-1",
    ])
  func refusal(text: String) {
    #expect(throws: AdministrationError.self) { try FlowSelector(parsing: [text]) }
  }

  @Test("A capture is asked for in the words of the control socket")
  func words() throws {
    #expect(
      try FlowSelector(parsing: ["10.0.2.15:1", ">", "[::1]:2"]).captureWords == [
        "protocol=tcp", "end=10.0.2.15:1", "end=[::1]:2",
      ])
    #expect(try FlowSelector(parsing: ["::1", ":80"]).captureWords == ["protocol=tcp", "host=::1", "port=80"])
  }
}
