// SPDX-License-Identifier: Apache-2.0

/// Reads JSON (RFC 8259), as deep as `ControlLimits.depth` and no deeper. The first mistake ends it.
struct JSONParser {
  private let octets: [UInt8]
  private var position = 0

  private init(_ octets: [UInt8]) {
    self.octets = octets
  }

  /// The one value that `octets` are.
  static func parse(_ octets: [UInt8]) throws(ControlProtocolError) -> JSONValue {
    guard String(validating: octets, as: UTF8.self) != nil else { throw ControlProtocolError("JSON is UTF-8") }
    var parser = JSONParser(octets)
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.position == octets.count else { throw parser.mistake("nothing may follow the value") }
    return value
  }

  private func mistake(_ what: String) -> ControlProtocolError {
    ControlProtocolError("JSON, octet \(position + 1): \(what)")
  }

  private var next: UInt8? { position < octets.count ? octets[position] : nil }

  private mutating func skipSpace() {
    while let octet = next, [0x20, 0x09, 0x0A, 0x0D].contains(octet) { position += 1 }
  }

  private mutating func take(_ wanted: Character) -> Bool {
    guard next == wanted.asciiValue else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(ControlProtocolError) -> JSONValue {
    guard depth < ControlLimits.depth else { throw mistake("nested more than \(ControlLimits.depth) deep") }
    skipSpace()
    guard let next else { throw mistake("it ends too early") }
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: return try word()
    }
  }

  private mutating func object(depth: Int) throws(ControlProtocolError) -> JSONValue {
    position += 1
    var members: [JSONValue.Member] = []
    var keys: Set<String> = []
    skipSpace()
    if take("}") { return .object([]) }
    repeat {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw mistake("a member's name, in quotation marks, is missing") }
      let key = try string()
      guard keys.insert(key).inserted else { throw mistake("the member '\(key)' is there twice") }
      skipSpace()
      guard take(":") else { throw mistake("a colon is missing") }
      members.append(JSONValue.Member(key, try value(depth: depth + 1)))
      skipSpace()
    } while take(",")
    guard take("}") else { throw mistake("a comma or } is missing") }
    return .object(members)
  }

  private mutating func array(depth: Int) throws(ControlProtocolError) -> JSONValue {
    position += 1
    var values: [JSONValue] = []
    skipSpace()
    if take("]") { return .array([]) }
    repeat {
      values.append(try value(depth: depth + 1))
      skipSpace()
    } while take(",")
    guard take("]") else { throw mistake("a comma or ] is missing") }
    return .array(values)
  }

  private mutating func word() throws(ControlProtocolError) -> JSONValue {
    let words: [(String, JSONValue)] = [("null", .null), ("true", .bool(true)), ("false", .bool(false))]
    for (text, value) in words where octets[position...].starts(with: text.utf8) {
      position += text.utf8.count
      return value
    }
    throw mistake("this is no value")
  }

  private mutating func number() throws(ControlProtocolError) -> JSONValue {
    let start = position
    _ = take("-")
    guard let first = next, isDigit(first) else { throw mistake("a digit is missing") }
    let digits = position
    skipDigits()
    guard first != UInt8(ascii: "0") || position - digits == 1 else {
      throw mistake("a number has no zeroes before it")
    }
    var isInteger = true
    if take(".") {
      isInteger = false
      guard let digit = next, isDigit(digit) else { throw mistake("a digit is missing") }
      skipDigits()
    }
    if take("e") || take("E") {
      isInteger = false
      _ = take("+") || take("-")
      guard let digit = next, isDigit(digit) else { throw mistake("a digit is missing") }
      skipDigits()
    }
    let text = String(decoding: octets[start..<position], as: UTF8.self)
    if isInteger, let number = Int(text) { return .integer(number) }
    guard let number = Double(text), number.isFinite else { throw mistake("the number is too large") }
    return .double(number)
  }

  private func isDigit(_ octet: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet) }

  private mutating func skipDigits() {
    while let octet = next, isDigit(octet) { position += 1 }
  }

  private mutating func string() throws(ControlProtocolError) -> String {
    position += 1
    var text: [UInt8] = []
    while let octet = next {
      switch octet {
      case UInt8(ascii: "\""):
        position += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        position += 1
        text += try escaped()
      case ..<0x20: throw mistake("control characters in a string are written as \\u....")
      default:
        text.append(octet)
        position += 1
      }
    }
    throw mistake("the string does not end")
  }

  /// What stands behind a backslash.
  private mutating func escaped() throws(ControlProtocolError) -> [UInt8] {
    let simple: [Character: UInt8] = [
      "\"": 0x22, "\\": 0x5C, "/": 0x2F, "b": 0x08, "f": 0x0C, "n": 0x0A, "r": 0x0D, "t": 0x09,
    ]
    if let octet = next, let meant = simple[Character(Unicode.Scalar(octet))] {
      position += 1
      return [meant]
    }
    guard take("u") else { throw mistake("there is no such escape") }
    var code = try unit()
    if (0xD800...0xDBFF).contains(code) {
      guard take("\\"), take("u") else { throw mistake("half a surrogate pair") }
      let low = try unit()
      guard (0xDC00...0xDFFF).contains(low) else { throw mistake("half a surrogate pair") }
      code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw mistake("half a surrogate pair") }
    return Array(String(scalar).utf8)
  }

  private mutating func unit() throws(ControlProtocolError) -> UInt32 {
    guard octets.count - position >= 4 else { throw mistake("\\u is followed by four hexadecimal digits") }
    let digits = octets[position..<position + 4]
    let text = String(decoding: digits, as: UTF8.self)
    guard text.first != "+", text.first != "-", let code = UInt32(text, radix: 16) else {
      throw mistake("\\u is followed by four hexadecimal digits")
    }
    position += 4
    return code
  }
}

extension JSONValue {
  /// The one value that `octets` are.
  public init(parsing octets: some Sequence<UInt8>) throws(ControlProtocolError) {
    self = try JSONParser.parse(Array(octets))
  }
}
