// SPDX-License-Identifier: Apache-2.0

/// Changes of a text at places that its elements name; everything else stays as it is, octet by octet.
struct XMLEdits {
  private let octets: [UInt8]
  /// Disjoint; those of an empty range in the order in which they were made.
  private var edits: [(range: Range<Int>, text: String)] = []

  init(_ octets: [UInt8]) { self.octets = octets }

  var isEmpty: Bool { edits.isEmpty }

  mutating func replace(_ range: Range<Int>, by text: String) { edits.append((range, text)) }

  /// Before the element, on lines of their own if it stands on one.
  mutating func insert(_ lines: [String], before element: XMLElement) {
    let start = element.startTag.lowerBound
    let indent = indent(before: start)
    replace(start..<start, by: lines.map { $0 + (indent ?? "") }.joined())
  }

  /// As the last things in the element.
  mutating func append(_ lines: [String], to element: XMLElement) {
    let indent = indent(before: element.startTag.lowerBound)
    let inner = indent.map { $0 + "  " } ?? ""
    let content = lines.map { inner + $0 }.joined()
    guard element.isSelfClosing else {
      let end = element.endTag.lowerBound
      // Before the white space that the end tag is indented by.
      let place = start(ofSpaceBefore: end)
      return replace(place..<place, by: content)
    }
    guard let name = nameAsWritten(element) else { return }
    let slash = element.startTag.upperBound - 2
    replace(slash..<element.startTag.upperBound, by: ">\(content)\(indent ?? "")</\(name)>")
  }

  /// With the white space before it.
  mutating func remove(_ element: XMLElement) {
    replace(start(ofSpaceBefore: element.range.lowerBound)..<element.range.upperBound, by: "")
  }

  func applied() -> [UInt8] {
    var result: [UInt8] = []
    var position = 0
    for (_, edit) in edits.enumerated().sorted(by: {
      ($0.element.range.lowerBound, $0.offset) < ($1.element.range.lowerBound, $1.offset)
    }) {
      guard edit.range.lowerBound >= position, edit.range.upperBound <= octets.count else { continue }
      result += octets[position..<edit.range.lowerBound]
      result += edit.text.utf8
      position = edit.range.upperBound
    }
    return result + octets[position...]
  }

  /// The element's name with its prefix.
  func nameAsWritten(_ element: XMLElement) -> String? {
    let ends = [0x20, 0x09, 0x0a, 0x0d, UInt8(ascii: "/"), UInt8(ascii: ">")] as [UInt8]
    let name = octets[element.startTag].dropFirst().prefix { !ends.contains($0) }
    return name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
  }

  /// The line's end and the white space between it and the place; nil if anything else stands there.
  private func indent(before place: Int) -> String? {
    let start = start(ofSpaceBefore: place)
    let space = octets[start..<place]
    guard let line = space.lastIndex(of: 0x0a) else { return nil }
    return "\n" + String(decoding: space[(line + 1)...], as: UTF8.self)
  }

  private func start(ofSpaceBefore place: Int) -> Int {
    var start = place
    while start > 0, [0x20, 0x09, 0x0a, 0x0d].contains(octets[start - 1]) { start -= 1 }
    return start
  }
}
