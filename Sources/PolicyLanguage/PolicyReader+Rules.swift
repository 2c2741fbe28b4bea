// SPDX-License-Identifier: Apache-2.0

import YAMLDocument

// Rules: which connections have which class. Assignments: which VMs have which class if nobody else says so.

extension PolicyReader {
  private static let ruleKeys = ["name", "match", "class", "replace"]

  mutating func readRules(_ node: YAMLNode) {
    for node in list(node, "rules") ?? [] {
      guard let entries = mapping(node, "a rule") else { continue }
      guard document.rules.count < PolicyDocument.ruleLimit else {
        return fail(node.mark, "there are \(PolicyDocument.ruleLimit) rules at the most")
      }
      readRule(node.mark, entries)
    }
  }

  private mutating func readRule(_ mark: YAMLMark, _ entries: [YAMLEntry]) {
    var label: String?
    var conditions: [MatchCondition]?
    var className: (name: String, mark: YAMLMark)?
    var replaces = false
    for entry in entries {
      switch entry.key {
      case "name": label = ruleName(entry.value)
      case "match": conditions = match(entry.value, MatchField.allCases)
      case "class":
        guard let name = word(entry.value, "class", "the name of a class") else { continue }
        className = (name, entry.value.mark)
      case "replace":
        switch entry.value.text {
        case "true", "on": replaces = true
        case "false", "off": replaces = false
        default: fail(entry.value.mark, "replace is true or false\(Self.not(entry.value))")
        }
      default:
        let isField = MatchField(rawValue: entry.key) != nil
        if isField { fail(entry.mark, "\(Suggestion.quoted(entry.key)) stands in the rule's match") }
        if !isField { unknown(entry, "a rule", Self.ruleKeys) }
      }
    }
    let says = entries.map(\.key)
    if !says.contains("match") { fail(mark, "a rule says which connections it is for: match: { ... }, or match: any") }
    if !says.contains("class") { fail(mark, "a rule says which class: class: NAME") }
    guard let className, let conditions else { return }
    document.rules.append(
      LanguageRule(
        label: label ?? "rule \(document.rules.count + 1)", place: place(mark), conditions: conditions,
        className: className.name, classPlace: place(className.mark), replaces: replaces))
  }

  private static func not(_ node: YAMLNode) -> String {
    node.text.map { ", not \(Suggestion.quoted($0))" } ?? ", not \(node.kind)"
  }

  private mutating func ruleName(_ node: YAMLNode) -> String? {
    guard let name = word(node, "name", "a name") else { return nil }
    guard name.utf8.count <= 64, name.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) else {
      fail(node.mark, "a rule's name has 64 characters of ASCII at the most")
      return nil
    }
    if let other = document.rules.first(where: { $0.label == name }) {
      fail(node.mark, "there is a rule \(Suggestion.quoted(name)) already, at \(other.place.line)")
    }
    return name
  }

  mutating func readAssignments(_ node: YAMLNode) {
    for node in list(node, "assign") ?? [] {
      guard let entries = mapping(node, "an assignment") else { continue }
      guard document.assignments.count < PolicyDocument.ruleLimit else {
        return fail(node.mark, "there are \(PolicyDocument.ruleLimit) assignments at the most")
      }
      let fields = MatchField.allCases.filter(\.isOfNIC)
      var conditions: [MatchCondition] = []
      var className: (name: String, mark: YAMLMark)?
      for entry in entries {
        if entry.key == "class" {
          if let name = word(entry.value, "class", "the name of a class") { className = (name, entry.value.mark) }
        } else if let field = MatchField(rawValue: entry.key), field.isOfNIC {
          if !isAny(entry.value), let condition = condition(field, entry) { conditions.append(condition) }
        } else if MatchField(rawValue: entry.key) != nil {
          fail(entry.mark, "an assignment is about VMs: \(Suggestion.quoted(entry.key)) is for rules")
        } else {
          unknown(entry, "an assignment", fields.map(\.rawValue) + ["class"])
        }
      }
      if !entries.contains(where: { $0.key == "class" }) {
        fail(node.mark, "an assignment says which class: class: NAME")
      }
      if !entries.contains(where: { $0.key != "class" }) {
        fail(node.mark, "an assignment says for which VMs: \(Suggestion.list(fields.map(\.rawValue)))")
      }
      guard let className else { continue }
      document.assignments.append(
        ClassAssignment(
          place: place(node.mark), conditions: conditions, className: className.name,
          classPlace: place(className.mark)))
    }
  }

  /// What a rule's match asks; nil, and that is told: it is wrong.
  private mutating func match(_ node: YAMLNode, _ fields: [MatchField]) -> [MatchCondition]? {
    if node.text == "any" { return [] }
    guard let entries = mapping(node, "match") else { return nil }
    var conditions: [MatchCondition] = []
    var isGood = true
    for entry in entries {
      guard let field = MatchField(rawValue: entry.key) else {
        let keys = fields.map(\.rawValue)
        unknown(entry, "a match", keys, meant: MatchField.ofFlatKey(entry.key)?.rawValue)
        isGood = false
        continue
      }
      if isAny(entry.value) { continue }
      if let condition = condition(field, entry) { conditions.append(condition) } else { isGood = false }
    }
    return isGood ? conditions : nil
  }

  private func isAny(_ node: YAMLNode) -> Bool { node.text == "any" }
}
