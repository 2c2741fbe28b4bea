// SPDX-License-Identifier: Apache-2.0

/// The first line of a request: `PUT /v1/policy 1234`.
public struct ControlRequestLine: Equatable, Sendable, CustomStringConvertible {
  public let method: ControlMethod
  public let path: ControlPath
  /// Octets of the body.
  public let bodyLength: Int

  public init(_ method: ControlMethod, _ path: ControlPath, bodyLength: Int = 0) {
    self.method = method
    self.path = path
    self.bodyLength = bodyLength
  }

  /// - Parameter line: without its newline.
  public init(parsing line: some Sequence<UInt8>) throws(ControlProtocolError) {
    guard let text = String(validating: Array(line), as: UTF8.self) else {
      throw ControlProtocolError("a request's first line is UTF-8: METHOD PATH LENGTH")
    }
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 3 else { throw ControlProtocolError("a request begins with one line: METHOD PATH LENGTH") }
    guard let method = ControlMethod(rawValue: String(words[0])) else {
      let methods = ControlMethod.allCases.map(\.rawValue).joined(separator: ", ")
      throw ControlProtocolError("there is no method '\(words[0])'; use one of \(methods)")
    }
    let length = try ControlLength.parse(words[2])
    self.init(method, try ControlPath(parsing: words[1]), bodyLength: length)
  }

  /// Without the newline.
  public var description: String { "\(method.rawValue) \(path) \(bodyLength)" }
}
