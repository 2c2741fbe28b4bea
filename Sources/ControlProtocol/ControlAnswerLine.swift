// SPDX-License-Identifier: Apache-2.0

/// The first line of an answer: `200 1234`, or `200 -` before lines of text that end with the connection.
public struct ControlAnswerLine: Equatable, Sendable, CustomStringConvertible {
  public let status: ControlStatus
  /// Octets of the body; nil: lines follow until the end.
  public let bodyLength: Int?

  public init(_ status: ControlStatus, bodyLength: Int?) {
    self.status = status
    self.bodyLength = bodyLength
  }

  /// - Parameter line: without its newline.
  public init(parsing line: some Sequence<UInt8>) throws(ControlProtocolError) {
    let words = String(decoding: Array(line), as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 2, let number = Int(words[0]), let status = ControlStatus(rawValue: number) else {
      throw ControlProtocolError("the answer does not begin with a line 'STATUS LENGTH'")
    }
    self.init(status, bodyLength: words[1] == "-" ? nil : try ControlLength.parse(words[1]))
  }

  /// Without the newline.
  public var description: String { "\(status.rawValue) \(bodyLength.map(String.init) ?? "-")" }
}
