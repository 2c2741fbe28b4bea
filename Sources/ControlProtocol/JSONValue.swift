// SPDX-License-Identifier: Apache-2.0

/// A JSON value (RFC 8259). Objects keep the order of their members, so that answers read well and tests can compare text.
public enum JSONValue: Equatable, Sendable {
  /// A member of an object.
  public struct Member: Equatable, Sendable {
    public let key: String
    public let value: JSONValue

    public init(_ key: String, _ value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  case null
  case bool(Bool)
  case integer(Int)
  case double(Double)
  case string(String)
  case array([JSONValue])
  case object([Member])

  /// The member of that name; nil: it is not there, or this is no object.
  public subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  public var string: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  public var integer: Int? {
    guard case .integer(let number) = self else { return nil }
    return number
  }

  public var bool: Bool? {
    guard case .bool(let value) = self else { return nil }
    return value
  }

  public var array: [JSONValue]? {
    guard case .array(let values) = self else { return nil }
    return values
  }

  /// On one line.
  public var text: String {
    var octets: [UInt8] = []
    write(to: &octets)
    return String(decoding: octets, as: UTF8.self)
  }

  private func write(to octets: inout [UInt8]) {
    switch self {
    case .null: octets += "null".utf8
    case .bool(let value): octets += (value ? "true" : "false").utf8
    case .integer(let number): octets += "\(number)".utf8
    // JSON has no word for what is not a number.
    case .double(let number): octets += (number.isFinite ? "\(number)" : "null").utf8
    case .string(let text): Self.write(text, to: &octets)
    case .array(let values):
      octets.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { octets += ", ".utf8 }
        value.write(to: &octets)
      }
      octets.append(UInt8(ascii: "]"))
    case .object(let members):
      octets.append(UInt8(ascii: "{"))
      for (index, member) in members.enumerated() {
        if index > 0 { octets += ", ".utf8 }
        Self.write(member.key, to: &octets)
        octets += ": ".utf8
        member.value.write(to: &octets)
      }
      octets.append(UInt8(ascii: "}"))
    }
  }

  private static func write(_ text: String, to octets: inout [UInt8]) {
    let digits = Array("0123456789abcdef".utf8)
    octets.append(UInt8(ascii: "\""))
    for octet in text.utf8 {
      switch octet {
      case UInt8(ascii: "\""): octets += #"\""#.utf8
      case UInt8(ascii: "\\"): octets += #"\\"#.utf8
      case UInt8(ascii: "\n"): octets += #"\n"#.utf8
      case UInt8(ascii: "\t"): octets += #"\t"#.utf8
      case ..<0x20, 0x7F: octets += #"\u00"#.utf8 + [digits[Int(octet >> 4)], digits[Int(octet & 15)]]
      default: octets.append(octet)
      }
    }
    octets.append(UInt8(ascii: "\""))
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension JSONValue: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral {
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(elements.map { Member($0.0, $0.1) })
  }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
}
