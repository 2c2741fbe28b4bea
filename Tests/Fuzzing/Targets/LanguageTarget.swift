// SPDX-License-Identifier: Apache-2.0

import Memory
import PolicyLanguage
import TCPPolicy
import Wire
import YAMLDocument

/// Input: texts of the policy language (docs/policy-language.md), an octet 1 between two of them; behind an octet 0 whether the NIC has a class and
/// an override (1), and connections that it has (as for `policy`).
///
/// Holds: the texts are read to an end, whatever they are; mistakes have places in them, in order, in a line of printable octets each; what they
/// become is a policy that the NIC's parser takes, or a mistake; each connection is explained by a rule of the text; a policy differs in nothing
/// from itself; explanations are JSON.
enum LanguageTarget {
  private static let longestMessage = 1000

  static func run(_ input: consuming InputReader) throws(Finding) {
    var texts: [[UInt8]] = [[]]
    while !input.isAtEnd {
      let octet = input.byte()
      if octet == 0 { break }
      if octet == 1 { texts.append([]) } else { texts[texts.count - 1].append(octet) }
    }
    let sources = texts.prefix(4).enumerated().map { PolicySource("file\($0)", octets: $1) }
    let reading = PolicyDocument.load(Array(sources))
    try check(reading.mistakes, Array(sources))
    try check(reading.warnings, Array(sources))
    try Finding.require((reading.document == nil) == !reading.mistakes.isEmpty, "a document and mistakes, or neither")
    guard let document = reading.document else { return }
    var nic = NICFacts(vm: "db-3", mac: "52:54:00:00:00:01")
    let flags = input.byte()
    if flags & 1 != 0 { nic.vmClass = "a" }
    nic.bandwidth.inboundAverage = flags & 2 != 0 ? Int(flags) << 40 : 0
    let overrides = flags & 4 != 0 ? [PolicyOverride(id: "1", key: "tx.buffer", value: "1MiB")] : []
    let compiled = document.compile(for: nic, overrides: overrides)
    try Finding.require(compiled.text.isEmpty == !compiled.mistakes.isEmpty, "a text and mistakes, or neither")
    guard compiled.mistakes.isEmpty else {
      let isOurs = compiled.mistakes.contains { $0.sentence.contains("our mistake") }
      return try Finding.require(!isOurs, "\(compiled.mistakes)")
    }
    try check(document, compiled, nic, overrides, &input)
  }

  private static func check(_ mistakes: [PolicyMistake], _ sources: [PolicySource]) throws(Finding) {
    try Finding.require(mistakes.count <= PolicyMistake.most, "\(mistakes.count) mistakes")
    var before = (file: 0, mark: YAMLMark(line: 0, column: 0))
    for mistake in mistakes {
      let isPlain = mistake.sentence.utf8.allSatisfy { (0x20..<0x7f).contains($0) }
      try Finding.require(
        isPlain && (1...longestMessage).contains(mistake.sentence.utf8.count),
        "a sentence of \(mistake.sentence.utf8.count)")
      guard let place = mistake.place, let file = sources.firstIndex(where: { $0.name == place.file }) else {
        throw Finding("\(mistake) is nowhere")
      }
      // Each octet may end a line, as YAML has it.
      let length = sources[file].octets.count
      try Finding.require(
        (1...length + 1).contains(place.mark.line) && (1...length + 1).contains(place.mark.column),
        "\(mistake) is outside")
      try Finding.require((before.file, before.mark) <= (file, place.mark), "\(mistake) is told behind \(before)")
      before = (file, place.mark)
    }
  }

  private static func check(
    _ document: PolicyDocument, _ compiled: CompiledPolicy, _ nic: NICFacts, _ overrides: [PolicyOverride],
    _ input: inout InputReader
  ) throws(Finding) {
    let classifier: Classifier
    do throws(PolicyTextErrors) {
      classifier = try Classifier(parsing: compiled.text, fallback: FlowConfiguration())
    } catch {
      throw Finding("\(error.errors) of\n\(compiled.text)")
    }
    try Finding.require(classifier.ruleCount <= Classifier.ruleLimit, "\(classifier.ruleCount) rules")
    var flows: [ConnectionFacts] = []
    for _ in 0..<8 where !input.isAtEnd { flows.append(PolicyTarget.facts(&input)) }
    for flow in flows {
      let explanation = document.explain(for: nic, overrides: overrides, flow: flow)
      let found = classifier.classify(flow)
      try Finding.require(
        explanation.rule == nil || found.rule != Classification.noRule, "\(flow): a rule that the classifier has not")
      // What is said in words agrees with what is decided.
      for other in explanation.others where other.reason == "it comes later" {
        try Finding.require(
          explanation.rulePlace.map { place in "\(place)" != "\(other.place)" } ?? false,
          "\(flow): \(other) is for it, and none")
      }
      try Finding.require(
        YAMLReader.read(explanation.json.description).mistakes.isEmpty, "\(explanation.json) is no JSON")
    }
    let difference = document.diff(to: document, over: [NICFlows(nic, overrides: overrides, flows: flows)])
    try Finding.require(difference.changes.isEmpty && difference.mistakes.isEmpty, difference.text)
  }
}
