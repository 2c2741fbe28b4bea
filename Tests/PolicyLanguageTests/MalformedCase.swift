// SPDX-License-Identifier: Apache-2.0
import Foundation
import PolicyLanguage
import Testing
import YAMLDocument

/// A policy with mistakes, as `Malformed/*.txt` has them:
///
///     === what is wrong
///     apiVersion: vtcp/v1
///     classes: { a: { ¦bufer: 1MiB } }
///     >> there is no 'bufer' in a class (did you mean buffer?)
///
/// A bar stands where a mistake is to be told, two where two are; the sentences follow in that order. A text that is not `policy.yaml` alone
/// is parted by lines `--- FILE`. A bar on a line of its own at the end is the end of the text.
struct MalformedCase: Sendable, CustomTestStringConvertible {
  let title: String
  let sources: [PolicySource]
  /// `FILE:LINE:COLUMN: error: sentence`.
  let expected: [String]

  var testDescription: String { title }

  private init(_ block: String) {
    var lines = block.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    title = lines.removeFirst()
    let sentences = lines.filter { $0.hasPrefix(">> ") }.map { String($0.dropFirst(3)) }
    lines.removeAll { $0.hasPrefix(">> ") }
    if lines.last == "" { lines.removeLast() }
    let endsWithBar = lines.last == "¦"
    var texts: [(name: String, lines: [String])] = []
    for line in lines {
      if line.hasPrefix("--- ") {
        texts.append((String(line.dropFirst(4)), []))
        continue
      }
      if texts.isEmpty { texts.append(("policy.yaml", [])) }
      texts[texts.count - 1].lines.append(line)
    }
    var places: [String] = []
    sources = texts.map { name, lines in
      var plain: [String] = []
      for (number, line) in lines.enumerated() {
        var column = 1
        var text = ""
        for scalar in line.unicodeScalars {
          guard scalar == "¦" else {
            text.unicodeScalars.append(scalar)
            column += 1
            continue
          }
          places.append("\(name):\(number + 1):\(column)")
        }
        plain.append(text)
      }
      return PolicySource(name, plain.joined(separator: "\n") + (endsWithBar ? "" : "\n"))
    }
    expected =
      places.count == sentences.count
      ? zip(places, sentences).map { "\($0): error: \($1)" }
      : ["\(places.count) bars and \(sentences.count) sentences"]
  }

  static let all: [MalformedCase] = {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Malformed")
    return ["yaml", "knobs", "classes", "rules"].flatMap { name in
      let text = try? String(contentsOf: folder.appendingPathComponent("\(name).txt"), encoding: .utf8)
      return ("\n" + (text ?? "")).components(separatedBy: "\n=== ").dropFirst().map { MalformedCase($0) }
    }
  }()
}
