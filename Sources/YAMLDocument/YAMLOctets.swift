// SPDX-License-Identifier: Apache-2.0

/// What must hold of a text before anybody looks for structure in it: it is UTF-8, and no character is there that nobody sees.
enum YAMLOctets {
  /// The first mistake, with its place.
  static func mistake(_ octets: [UInt8]) -> YAMLMistake? {
    var decoder = UTF8()
    var octet = octets.makeIterator()
    var (line, column) = (1, 1)
    var previous: UInt32 = 0
    while true {
      let scalar: UInt32
      switch decoder.decode(&octet) {
      case .scalarValue(let found): scalar = found.value
      case .emptyInput: return nil
      case .error: return YAMLMistake(YAMLMark(line: line, column: column), "this is no UTF-8 text")
      }
      switch scalar {
      case 0x0a:
        // A carriage return before it has ended the line.
        if previous != 0x0d { line += 1 }
        column = 1
      // libyaml counts lines so too: NEL, LINE SEPARATOR, PARAGRAPH SEPARATOR.
      case 0x0d, 0x85, 0x2028, 0x2029: (line, column) = (line + 1, 1)
      case 0xfeff where line == 1 && column == 1 && previous == 0: break
      case 0x09, 0x20...0x7e, 0xa0...0xd7ff, 0xe000...0xfefe, 0xff00...0xfffd, 0x1_0000...0x10_ffff: column += 1
      default:
        let digits = String(scalar, radix: 16, uppercase: true)
        let code = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        return YAMLMistake(
          YAMLMark(line: line, column: column), "the character U+\(code) can't stand in a text; take it out")
      }
      previous = scalar
    }
  }
}
