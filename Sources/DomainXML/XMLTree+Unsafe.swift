// SPDX-License-Identifier: Apache-2.0

import CExpat

/// Reads XML with expat.
///
/// SAFETY: expat's parser lives for the length of `parse`, as do the octets and the state that its user data point to (`withExtendedLifetime`); it
/// is used by this thread only, and calls back during `XML_Parse` only. Strings that it hands over end with a zero octet and are copied
/// before the call returns; the list of attributes ends with a null pointer.
enum XMLTree {
  /// What callbacks need.
  private final class State {
    let parser: XML_Parser
    let builder: XMLTreeBuilder

    init(_ parser: XML_Parser, _ builder: XMLTreeBuilder) {
      self.parser = parser
      self.builder = builder
    }

    var place: XMLPlace {
      XMLPlace(
        line: Int(clamping: XML_GetCurrentLineNumber(parser)),
        column: Int(clamping: XML_GetCurrentColumnNumber(parser)) + 1)
    }

    /// Octets of what is told now.
    var range: Range<Int> {
      let start = max(0, XML_GetCurrentByteIndex(parser))
      return start..<start + max(0, Int(XML_GetCurrentByteCount(parser)))
    }

    static func of(_ data: UnsafeMutableRawPointer?) -> State? {
      data.map { Unmanaged<State>.fromOpaque($0).takeUnretainedValue() }
    }

    func stopIfRefused() {
      if builder.refusal != nil { XML_StopParser(parser, 0) }
    }
  }

  /// The root of the text, which must be UTF-8, with or without a byte order mark.
  static func parse(_ octets: [UInt8]) throws(DomainMistake) -> XMLElement {
    guard octets.count <= XMLLimits.octets else {
      throw DomainMistake(
        line: 0, column: 0, text: "a domain's XML has at most \(XMLLimits.octets) octets, not \(octets.count)")
    }
    guard !octets.starts(with: [0xfe, 0xff]), !octets.starts(with: [0xff, 0xfe]) else {
      throw DomainMistake(line: 1, column: 1, text: "the text is in UTF-16; a domain's XML is in UTF-8")
    }
    guard let parser = XML_ParserCreateNS("UTF-8", XML_Char(bitPattern: XMLName.separator)) else {
      throw DomainMistake(line: 0, column: 0, text: "there is no memory to read the XML")
    }
    defer { XML_ParserFree(parser) }
    let builder = XMLTreeBuilder()
    let state = State(parser, builder)
    install(parser)
    let status = withExtendedLifetime(state) {
      XML_SetUserData(parser, Unmanaged.passUnretained(state).toOpaque())
      return octets.withUnsafeBytes { bytes in
        XML_Parse(parser, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(clamping: bytes.count), 1)
      }
    }
    if let refusal = builder.refusal { throw refusal }
    guard status == XML_STATUS_OK, let root = builder.root else {
      throw DomainMistake(state.place, "this is not XML: \(errorText(parser))")
    }
    return root
  }

  private static func errorText(_ parser: XML_Parser) -> String {
    let code = XML_GetErrorCode(parser)
    if code == XML_ERROR_NO_ELEMENTS || code == XML_ERROR_UNCLOSED_TOKEN { return "it ends too early" }
    return XML_ErrorString(code).map { String(cString: $0) } ?? "expat's error \(code.rawValue)"
  }

  private static func install(_ parser: XML_Parser) {
    XML_SetElementHandler(
      parser,
      { data, name, attributes in
        guard let state = State.of(data), let name else { return }
        var words: [String] = []
        var index = 0
        while let word = attributes?[index], words.count <= 2 * XMLLimits.attributes {
          words.append(String(cString: word))
          index += 1
        }
        state.builder.start(name: String(cString: name), attributes: words, place: state.place, tag: state.range)
        state.stopIfRefused()
      },
      { data, _ in
        guard let state = State.of(data) else { return }
        state.builder.end(tag: state.range)
      })
    XML_SetCharacterDataHandler(parser) { data, characters, count in
      guard let state = State.of(data), let characters, count > 0 else { return }
      let octets = UnsafeRawBufferPointer(start: characters, count: Int(count))
      state.builder.text(String(decoding: octets, as: UTF8.self))
    }
    XML_SetStartDoctypeDeclHandler(parser) { data, _, _, _, _ in
      guard let state = State.of(data) else { return }
      state.builder.documentType(place: state.place)
      state.stopIfRefused()
    }
    XML_SetXmlDeclHandler(parser) { data, _, encoding, _ in
      guard let state = State.of(data), let encoding else { return }
      state.builder.encoding(String(cString: encoding), place: state.place)
      state.stopIfRefused()
    }
  }
}
