// SPDX-License-Identifier: Apache-2.0

/// A domain as far as it could be read, and what was wrong.
public struct DomainReading: Equatable, Sendable {
  /// Mistakes that are noted at most.
  public static let mostMistakes = 20

  /// Without what was wrong.
  public let domain: Domain
  /// In the order of the text.
  public let mistakes: [DomainMistake]

  /// Reads the XML of a domain; throws if it is none.
  public init(parsing octets: [UInt8]) throws(DomainMistake) {
    let root = try XMLTree.parse(octets)
    guard root.name == XMLName("domain") else {
      throw DomainMistake(
        root.place, "a domain's XML begins with the element domain, not \(DomainText.shown(root.name.local))")
    }
    var reader = DomainReader()
    domain = reader.domain(root)
    mistakes = reader.sortedMistakes
  }
}
