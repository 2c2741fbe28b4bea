// SPDX-License-Identifier: Apache-2.0

/// A whole answer.
public struct ControlAnswer: Equatable, Sendable {
  public let status: ControlStatus
  /// JSON on one line, unless the path says otherwise.
  public let body: [UInt8]

  public init(_ status: ControlStatus, body: [UInt8]) {
    self.status = status
    self.body = body
  }

  /// A JSON value and a newline.
  public init(_ status: ControlStatus, _ value: JSONValue) {
    self.init(status, body: Array((value.text + "\n").utf8))
  }

  /// What a person is told of a request that failed.
  public init(_ status: ControlStatus, _ failure: ControlFailure) {
    self.init(status, failure.json)
  }

  public var text: String { String(decoding: body, as: UTF8.self) }

  /// The octets to send: line and body.
  public var octets: [UInt8] {
    Array("\(ControlAnswerLine(status, bodyLength: body.count))\n".utf8) + body
  }

  /// What went wrong, if the status is not a good one; of a body that is none the text as it is.
  public var failure: ControlFailure? {
    guard status != .good else { return nil }
    if let value = try? JSONValue(parsing: body), let failure = ControlFailure(value) { return failure }
    return ControlFailure(body.isEmpty ? "status \(status.rawValue)" : text)
  }
}
