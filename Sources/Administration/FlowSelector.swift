// SPDX-License-Identifier: Apache-2.0

import ControlProtocol

/// Which connections are meant, as people write it: `10.0.0.2:40022 > 10.9.9.9:873`, one end of it, an address, or `:873`; `tcp` may
/// stand before it, and an address of IPv6 stands in brackets if a port follows.
public struct FlowSelector: Equatable, Sendable {
  private struct End: Equatable, Sendable {
    var address: String?
    var port: Int?
  }

  private let ends: [End]

  /// - Parameter words: of the command line; one word or several.
  public init(parsing words: [String]) throws(AdministrationError) {
    var parts = words.flatMap { $0.split(whereSeparator: { " >,".contains($0) }) }.map(String.init)
    if parts.first == "tcp" { parts.removeFirst() }
    parts.removeAll { $0 == "-" }
    guard (1...2).contains(parts.count) else {
      throw .usage(
        "a connection is written as ADDRESS:PORT > ADDRESS:PORT, or by one of its ends: ADDRESS, ADDRESS:PORT or :PORT")
    }
    var ends: [End] = []
    for part in parts { ends.append(try Self.end(part)) }
    self.ends = ends
  }

  /// The words for a `capture` at a NIC's control socket (docs/control.md).
  public var captureWords: [String] {
    ["protocol=tcp"]
      + ends.map { end in
        switch (end.address, end.port) {
        case (let address?, let port?): "end=\(address.contains(":") ? "[\(address)]" : address):\(port)"
        case (let address?, nil): "host=\(address)"
        case (nil, let port): "port=\(port ?? 0)"
        }
      }
  }

  /// Whether a connection of statistics is meant.
  func matches(_ flow: JSONValue) -> Bool {
    let places = ["guest", "network"]
    func isMet(_ end: End, _ place: String) -> Bool {
      (end.address ?? flow.text(place, "address")) == flow.text(place, "address")
        && (end.port ?? flow.number(place, "port")) == flow.number(place, "port")
    }
    guard ends.count == 2 else { return places.contains { isMet(ends[0], $0) } }
    return isMet(ends[0], places[0]) && isMet(ends[1], places[1])
      || isMet(ends[0], places[1]) && isMet(ends[1], places[0])
  }

  private static func end(_ text: String) throws(AdministrationError) -> End {
    if text.hasPrefix("[") {
      guard let close = text.firstIndex(of: "]") else { throw wrong(text) }
      let address = String(text[text.index(after: text.startIndex)..<close])
      let rest = text[text.index(after: close)...]
      guard let known = AddressSpelling.canonical(address), known.contains(":") else { throw wrong(text) }
      guard !rest.isEmpty else { return End(address: known) }
      guard rest.hasPrefix(":"), let port = UInt16(rest.dropFirst()) else { throw wrong(text) }
      return End(address: known, port: Int(port))
    }
    if let known = AddressSpelling.canonical(text) { return End(address: known) }
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
      throw wrong(text)
    }
    guard colon != text.startIndex else { return End(port: Int(port)) }
    guard let known = AddressSpelling.canonical(String(text[..<colon])), !known.contains(":") else { throw wrong(text) }
    return End(address: known, port: Int(port))
  }

  private static func wrong(_ text: String) -> AdministrationError {
    .usage(
      "'\(JSONValue.printable(text))' is no end of a connection; write ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT of IPv6, or :PORT"
    )
  }
}
