// SPDX-License-Identifier: Apache-2.0

/// How many octets a body has, as it is written in a first line.
enum ControlLength {
  static func parse(_ text: some StringProtocol) throws(ControlProtocolError) -> Int {
    guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
      throw ControlProtocolError("the length of a body is a number of octets, not '\(text)'")
    }
    guard let length = Int(text), length <= ControlLimits.body else {
      throw ControlProtocolError("a body has at most \(ControlLimits.body) octets")
    }
    return length
  }
}
