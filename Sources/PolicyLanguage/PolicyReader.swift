// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import YAMLDocument

/// Reads the texts of a policy. It goes on after a mistake, so that all are told at once: sets first, since rules of any file may name
/// them, then all else, then what can only be said of the whole.
struct PolicyReader {
  private static let keys = ["apiVersion", "metadata", "limits", "sets", "classes", "rules", "assign", "default"]
  private static let onlyOnce = ["metadata", "limits", "default"]

  private let sources: [PolicySource]
  var document = PolicyDocument()
  var sets: [String: PolicySet] = [:]
  /// In the order of the texts.
  var setNames: [String] = []
  var usedSets: Set<String> = []
  /// Whose members are mistakes.
  var brokenSets: Set<String> = []
  /// The text that is read.
  private(set) var file = ""
  private var mistakes: [PolicyMistake] = []
  private var warnings: [PolicyMistake] = []
  /// Keys that stand in one of the texts only.
  private var once: [String: PolicyPlace] = [:]

  init(_ sources: [PolicySource]) { self.sources = sources }

  mutating func read() -> PolicyReading {
    var texts: [(name: String, entries: [YAMLEntry])] = []
    for source in sources {
      file = source.name
      let reading = YAMLReader.read(source.octets)
      for mistake in reading.mistakes { fail(mistake.mark, mistake.sentence) }
      guard let root = reading.root else { continue }
      if let entries = mapping(root, "a policy") { texts.append((source.name, entries)) }
      checkVersion(root)
    }
    for (name, entries) in texts {
      file = name
      for entry in entries where entry.key == "sets" { readSets(entry.value) }
    }
    for (name, entries) in texts {
      file = name
      for entry in entries { read(entry) }
    }
    if sources.isEmpty { add(PolicyMistake(nil, "there is no policy: no file was given")) }
    checkWhole()
    let order = Dictionary(sources.enumerated().map { ($1.name, $0) }) { first, _ in first }
    func sorted(_ list: [PolicyMistake]) -> [PolicyMistake] {
      func key(_ mistake: PolicyMistake) -> (Int, YAMLMark) {
        (mistake.place.flatMap { order[$0.file] } ?? .max, mistake.place?.mark ?? YAMLMark(line: 0, column: 0))
      }
      return Array(list.sorted { key($0) < key($1) }.prefix(PolicyMistake.most))
    }
    return PolicyReading(
      document: mistakes.isEmpty ? document : nil, mistakes: sorted(mistakes), warnings: sorted(warnings))
  }

  private mutating func checkVersion(_ root: YAMLNode) {
    guard root.entries != nil else { return }
    guard let version = root["apiVersion"] else {
      return fail(root.mark, "a policy says its version: apiVersion: \(PolicyDocument.apiVersion)")
    }
    guard version.text != PolicyDocument.apiVersion else { return }
    let found = version.text.map { Suggestion.quoted($0) } ?? version.kind
    fail(version.mark, "apiVersion is \(PolicyDocument.apiVersion), not \(found)")
  }

  private mutating func read(_ entry: YAMLEntry) {
    if Self.onlyOnce.contains(entry.key) {
      if let first = once[entry.key] { return fail(entry.mark, "there is \(entry.key) already, at \(first.line)") }
      once[entry.key] = place(entry.mark)
    }
    switch entry.key {
    case "apiVersion", "sets": break
    case "metadata": readMetadata(entry.value)
    case "limits": readLimits(entry.value)
    case "classes": readClasses(entry.value)
    case "rules": readRules(entry.value)
    case "assign": readAssignments(entry.value)
    case "default":
      guard let name = word(entry.value, "default", "the name of a class") else { return }
      document.fallback = (name, place(entry.value.mark))
    default: unknown(entry, "a policy", Self.keys)
    }
  }

  private mutating func readMetadata(_ node: YAMLNode) {
    for entry in mapping(node, "metadata") ?? [] {
      switch entry.key {
      case "name":
        guard let name = word(entry.value, "name", "a name") else { continue }
        if name.utf8.count > 64 { fail(entry.value.mark, "a name has 64 octets at the most") }
        document.name = name
      case "revision":
        let text = entry.value.text ?? ""
        guard let revision = NumberText.decimal(text) else {
          fail(entry.value.mark, "revision is a number, not \(Suggestion.quoted(text))")
          continue
        }
        document.revision = revision
      case "description": _ = word(entry.value, "description", "a text")
      default: unknown(entry, "metadata", ["name", "revision", "description"])
      }
    }
  }

  // What all readers need.

  func place(_ mark: YAMLMark) -> PolicyPlace { PolicyPlace(file, mark) }

  mutating func fail(_ mark: YAMLMark, _ sentence: String) { add(PolicyMistake(place(mark), sentence)) }

  /// Notes a mistake, as long as there are not too many. Enough are kept to tell the first ones.
  mutating func add(_ mistake: PolicyMistake) {
    if mistake.isWarning {
      if warnings.count < 10 * PolicyMistake.most { warnings.append(mistake) }
    } else if mistakes.count < 10 * PolicyMistake.most {
      mistakes.append(mistake)
    }
  }

  var hasMistakes: Bool { !mistakes.isEmpty }

  /// That there is no such key.
  mutating func unknown(_ entry: YAMLEntry, _ what: String, _ keys: [String], meant: String? = nil) {
    let suggestion = meant.map { " (did you mean \($0)?)" } ?? Suggestion.meant(entry.key, keys)
    fail(entry.mark, "there is no \(Suggestion.quoted(entry.key)) in \(what)\(suggestion)")
  }

  /// The entries of a mapping; nil, and that is told: it is none.
  mutating func mapping(_ node: YAMLNode, _ what: String) -> [YAMLEntry]? {
    if let entries = node.entries { return entries }
    fail(node.mark, "\(what) is a mapping (KEY: VALUE), not \(node.kind)")
    return nil
  }

  /// The nodes of a list; nil, and that is told: it is none.
  mutating func list(_ node: YAMLNode, _ what: String) -> [YAMLNode]? {
    if let elements = node.elements { return elements }
    fail(node.mark, "\(what) is a list, not \(node.kind)")
    return nil
  }

  /// A scalar's text; nil, and that is told: it is none.
  mutating func word(_ node: YAMLNode, _ what: String, _ form: String) -> String? {
    if let text = node.text { return text }
    fail(node.mark, "\(what) is \(form), not \(node.kind)")
    return nil
  }

  /// A name of a class or a set; nil, and that is told: it can't be one.
  mutating func name(_ entry: YAMLEntry, _ what: String) -> String? {
    if PolicyName(entry.key) != nil { return entry.key }
    fail(
      entry.mark,
      "\(Suggestion.quoted(entry.key)) is no name of \(what): 1 to \(PolicyName.maximumLength) letters, digits, -, _ and ."
    )
    return nil
  }
}
