// SPDX-License-Identifier: Apache-2.0

/// An element with what is in it.
final class XMLElement {
  let name: XMLName
  let attributes: [XMLAttribute]
  let place: XMLPlace
  /// Octets of the text.
  let startTag: Range<Int>
  /// Empty, and at the end of the start tag, if that ends with `/>`.
  fileprivate(set) var endTag: Range<Int>
  fileprivate(set) var children: [XMLElement] = []
  /// Its own text without that of its children, the first `XMLLimits.text` octets or somewhat more.
  fileprivate(set) var text = ""

  init(name: XMLName, attributes: [XMLAttribute], place: XMLPlace, startTag: Range<Int>) {
    self.name = name
    self.attributes = attributes
    self.place = place
    self.startTag = startTag
    endTag = startTag.upperBound..<startTag.upperBound
  }

  /// All of it, tags too.
  var range: Range<Int> { startTag.lowerBound..<endTag.upperBound }
  /// Written `<name/>`.
  var isSelfClosing: Bool { endTag.isEmpty }

  /// The children of that name, without a namespace if none is given.
  func all(_ local: String, namespace: String? = nil) -> [XMLElement] {
    children.filter { $0.name.local == local && $0.name.namespace == namespace }
  }

  func first(_ local: String, namespace: String? = nil) -> XMLElement? {
    children.first { $0.name.local == local && $0.name.namespace == namespace }
  }

  /// The value of the attribute without a namespace.
  subscript(_ attribute: String) -> String? {
    attributes.first { $0.name == XMLName(attribute) }?.value
  }

  /// For who reads it from a text.
  func append(_ child: XMLElement) { children.append(child) }
  func append(text more: String) {
    guard text.utf8.count < XMLLimits.text else { return }
    text += String(decoding: more.utf8.prefix(XMLLimits.text), as: UTF8.self)
  }
  func end(at tag: Range<Int>) { endTag = tag }
}
