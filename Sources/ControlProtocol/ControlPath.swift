// SPDX-License-Identifier: Apache-2.0

/// What a request is about: `/v1/nics/web1-0?key=value`.
public struct ControlPath: Equatable, Sendable, CustomStringConvertible {
  /// A key of the query and its value.
  public struct Parameter: Equatable, Sendable {
    public let key: String
    public let value: String

    public init(_ key: String, _ value: String) {
      self.key = key
      self.value = value
    }
  }

  /// What stands between the slashes, decoded: `["v1", "nics", "web1-0"]`.
  public let segments: [String]
  /// In the order given; no key twice.
  public let parameters: [Parameter]

  public init(_ segments: [String], parameters: [Parameter] = []) {
    self.segments = segments
    self.parameters = parameters
  }

  /// As it is written in a request.
  public init(parsing text: some StringProtocol) throws(ControlProtocolError) {
    guard text.utf8.first == UInt8(ascii: "/") else {
      throw ControlProtocolError("a path begins with a slash, as /v1/status")
    }
    let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    var segments: [String] = []
    for segment in parts[0].dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      segments.append(try Self.decode(segment))
    }
    guard !segments.contains("") else { throw ControlProtocolError("a path has no empty parts between its slashes") }
    var parameters: [Parameter] = []
    if parts.count == 2 {
      for pair in parts[1].split(separator: "&") {
        let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let parameter = Parameter(try Self.decode(halves[0]), halves.count == 2 ? try Self.decode(halves[1]) : "")
        guard !parameters.contains(where: { $0.key == parameter.key }) else {
          throw ControlProtocolError("the path has '\(parameter.key)' twice")
        }
        parameters.append(parameter)
      }
    }
    self.init(segments, parameters: parameters)
  }

  /// The value of that key; nil: it is not there.
  public subscript(key: String) -> String? { parameters.first { $0.key == key }?.value }

  /// As it is written in a request.
  public var description: String {
    let path = segments.map { "/" + Self.encode($0) }.joined()
    let query = parameters.map { Self.encode($0.key) + "=" + Self.encode($0.value) }
    return (path.isEmpty ? "/" : path) + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
  }

  /// RFC 3986, 2.3: characters that need no encoding anywhere.
  private static func isUnreserved(_ octet: UInt8) -> Bool {
    switch octet {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "-._~".utf8.contains(octet)
    }
  }

  private static func encode(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var octets: [UInt8] = []
    for octet in text.utf8 {
      if isUnreserved(octet) {
        octets.append(octet)
      } else {
        octets += [UInt8(ascii: "%"), digits[Int(octet >> 4)], digits[Int(octet & 15)]]
      }
    }
    return String(decoding: octets, as: UTF8.self)
  }

  private static func decode(_ text: some StringProtocol) throws(ControlProtocolError) -> String {
    var octets: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let octet = rest.popFirst() {
      guard octet == UInt8(ascii: "%") else {
        guard octet > 0x20, octet < 0x7F else {
          throw ControlProtocolError("what is no printable ASCII has to be percent-encoded in a path")
        }
        octets.append(octet)
        continue
      }
      guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
        throw ControlProtocolError("a percent sign in a path is followed by two hexadecimal digits")
      }
      octets.append(high << 4 | low)
    }
    guard let decoded = String(validating: octets, as: UTF8.self), !octets.contains(0) else {
      throw ControlProtocolError("a path is UTF-8 without NUL once it is decoded")
    }
    return decoded
  }

  private static func digit(_ octet: UInt8) -> UInt8? {
    switch octet {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): octet - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): octet - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): octet - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
