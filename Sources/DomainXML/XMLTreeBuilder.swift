// SPDX-License-Identifier: Apache-2.0

/// Makes a tree of what a parser tells, within limits. What is beyond them is `refusal`, from when on it takes nothing more.
final class XMLTreeBuilder {
  private(set) var root: XMLElement?
  private(set) var refusal: DomainMistake?
  private var open: [XMLElement] = []
  private var elementCount = 0

  /// - Parameter attributes: names and values in turns.
  func start(name: String, attributes: [String], place: XMLPlace, tag: Range<Int>) {
    guard refusal == nil else { return }
    elementCount += 1
    guard open.count < XMLLimits.depth else {
      return refuse(place, "elements stand inside each other deeper than \(XMLLimits.depth)")
    }
    guard elementCount <= XMLLimits.elements else {
      return refuse(place, "there are more than \(XMLLimits.elements) elements")
    }
    guard attributes.count <= 2 * XMLLimits.attributes else {
      return refuse(place, "an element has more than \(XMLLimits.attributes) attributes")
    }
    let pairs = stride(from: 0, to: attributes.count - 1, by: 2).map {
      XMLAttribute(name: XMLName(expanded: attributes[$0]), value: attributes[$0 + 1])
    }
    let element = XMLElement(name: XMLName(expanded: name), attributes: pairs, place: place, startTag: tag)
    if let parent = open.last { parent.append(element) } else { root = element }
    open.append(element)
  }

  func end(tag: Range<Int>) {
    guard refusal == nil, let element = open.popLast() else { return }
    element.end(at: tag)
  }

  func text(_ text: String) {
    guard refusal == nil else { return }
    open.last?.append(text: text)
  }

  func documentType(place: XMLPlace) {
    refuse(place, "a domain's XML has no document type (<!DOCTYPE), and so no entities of its own: take it out")
  }

  func encoding(_ name: String, place: XMLPlace) {
    guard name.uppercased() != "UTF-8", name.uppercased() != "US-ASCII" else { return }
    refuse(place, "the text says that its encoding is \(DomainText.shown(name)); a domain's XML is in UTF-8")
  }

  private func refuse(_ place: XMLPlace, _ text: String) {
    if refusal == nil { refusal = DomainMistake(place, text) }
  }
}
