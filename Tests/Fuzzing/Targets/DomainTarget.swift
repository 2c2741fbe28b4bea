// SPDX-License-Identifier: Apache-2.0

import DomainXML
import Memory

/// Input: the XML of a domain.
///
/// Holds: what is read is within its bounds and says the same when it is read again; mistakes have places in the text and are told in order, in a line of
/// printable characters each; NICs have names without a slash; and what the rewriter makes of it can be read.
enum DomainTarget {
  private static let longestMessage = 600

  static func run(_ input: consuming InputReader) throws(Finding) {
    var octets: [UInt8] = []
    while !input.isAtEnd { octets.append(input.byte()) }
    switch (read(octets), read(octets)) {
    case (.failure(let one), .failure(let other)):
      try Finding.require(one == other, "\(one), and again: \(other)")
      try check([one], octets)
    case (.success(let one), .success(let other)):
      try Finding.require(one == other, "another domain when it is read again")
      try check(one.mistakes, octets)
      try check(one.domain)
      try checkRewriting(octets)
    default: throw Finding("a domain, and again none")
    }
  }

  private static func read(_ octets: [UInt8]) -> Result<DomainReading, DomainMistake> {
    do throws(DomainMistake) { return .success(try DomainReading(parsing: octets)) } catch { return .failure(error) }
  }

  private static func check(_ mistakes: [DomainMistake], _ octets: [UInt8]) throws(Finding) {
    try Finding.require(mistakes.count <= DomainReading.mostMistakes, "\(mistakes.count) mistakes")
    let lines = 1 + octets.count { $0 == 0x0a || $0 == 0x0d }
    var before = (line: 0, column: 0)
    for mistake in mistakes {
      try Finding.require(
        (0...lines).contains(mistake.line) && mistake.column <= octets.count + 1, "\(mistake) is outside the text")
      try Finding.require(before <= (mistake.line, mistake.column), "\(mistake) is out of order")
      try Finding.require(
        mistake.text.utf8.count <= longestMessage
          && mistake.text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f },
        "a mistake that can't be shown: \(mistake.text.debugDescription)")
      before = (mistake.line, mistake.column)
    }
  }

  private static func checkRewriting(_ octets: [UInt8]) throws(Finding) {
    // Aside from a text that is larger than it may be then.
    guard octets.count < XMLLimits.octets / 2 else { return }
    var text = octets
    for _ in 0..<2 {
      let result: DomainRewriting
      do throws(DomainMistake) {
        result = try DomainRewriter.rewrite(text, folder: "/run/vtcp", adopting: .all)
      } catch {
        throw Finding("what was rewritten can't be read: \(error)")
      }
      try Finding.require(!result.changes.isEmpty || result.octets == text, "another text without a change")
      text = result.octets
    }
  }

  private static func check(_ domain: Domain) throws(Finding) {
    try Finding.require(domain.name.utf8.count <= 255 && !domain.name.contains("/"), "the name \(domain.name)")
    for interface in domain.interfaces {
      try Finding.require(
        interface.path.utf8.count <= 107 && interface.path.hasPrefix("/"), "the path \(interface.path)")
      try Finding.require((1...1024).contains(interface.queues), "\(interface.queues) queues")
      if let name = interface.name(in: "/run/vtcp") {
        try Finding.require(!name.isEmpty && !name.contains("/"), "the name \(name)")
      }
    }
    let settings = (domain.metadata?.settings ?? []) + (domain.metadata?.nics ?? []).flatMap(\.settings)
    for setting in settings {
      try Finding.require(
        (1...64).contains(setting.key.utf8.count) && (1...256).contains(setting.value.utf8.count), "\(setting)")
    }
  }
}
