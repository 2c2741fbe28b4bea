// SPDX-License-Identifier: Apache-2.0

import CongestionControl
import Timekeeping
import Wire

// Lines that say what a configuration is.

extension PolicyTextParser {
  private static let choices = [
    "mode", "transmitWindow", "receiveWindow", "shutWindow", "receiveRecovery", "congestionAlgorithm", "usesHyStart",
    "isPaced", "sendsLarge", "ecn", "stripOptions", "addOptions",
  ]

  mutating func readConfiguration(_ first: PolicyWord, _ words: ArraySlice<PolicyWord>) {
    guard let word = words.first, word.pair == nil else {
      return fail(first.error("a configuration has a name: configuration NAME KEY=VALUE ..."))
    }
    guard let name = name(word) else { return }
    guard isFree(name, word) else { return }
    guard configurations.count < Classifier.room else {
      return fail(
        word.error("\(PolicyError.tooManyConfigurations(configurations.count + 1, limit: Classifier.room))"))
    }
    var configuration = fallback
    var rest = words.dropFirst()
    if let extends = rest.first?.pair, extends.key.text == "extends" {
      rest = rest.dropFirst()
      // Without it the name is there nevertheless: rules that name it are no mistakes.
      configuration = known(extends.value) ?? fallback
    }
    set(&configuration, rest)
    configurations.append((name, configuration, word))
  }

  /// Whether neither a configuration nor phases have the name.
  mutating func isFree(_ name: PolicyName, _ word: PolicyWord) -> Bool {
    let other = configurations.first { $0.name == name }?.word
    let phases = phases.first { $0.phases.name == name }?.word
    guard name == .fallback || other != nil || phases != nil else { return true }
    let line = (other ?? phases).map { ", on line \($0.line)" } ?? ""
    let what = phases == nil ? "is a configuration" : "are phases"
    fail(word.error("there \(what) \(name) already\(line)"))
    return false
  }

  /// The configuration of a name that is known by now.
  private mutating func known(_ word: PolicyWord) -> FlowConfiguration? {
    guard let name = name(word) else { return nil }
    if name == .fallback { return fallback }
    if let found = configurations.first(where: { $0.name == name }) { return found.configuration }
    if let preset = FlowConfiguration.presets.first(where: { $0.name == name }) { return preset.configuration }
    fail(missing(name, word))
    return nil
  }

  /// That there is no such configuration.
  func missing(_ name: PolicyName, _ word: PolicyWord) -> PolicyTextError {
    if phases.contains(where: { $0.phases.name == name }) {
      return word.error("\(word.shown) are phases, and here stands a configuration")
    }
    return word.error("there is no configuration \(word.shown) above\(meant(word))")
  }

  /// The configuration that was meant by a name that there is not.
  func meant(_ word: PolicyWord, orPhases: Bool = false) -> String {
    var names = [PolicyName.fallback] + configurations.map(\.name) + FlowConfiguration.presets.map(\.name)
    if orPhases { names += phases.map(\.phases.name) }
    return NearestWord.of(word.text, in: names.map(\.description)).map { "; did you mean \($0)?" } ?? ""
  }

  mutating func set(_ configuration: inout FlowConfiguration, _ words: ArraySlice<PolicyWord>) {
    var seen: Set<String> = []
    for word in words {
      guard let (key, value) = pair(word, &seen) else { continue }
      if let field = ConfigurationField(rawValue: String(key.text)) {
        guard let number = number(field, value) else { continue }
        guard field.allowed.contains(number) else {
          fail(value.error("\(ConfigurationError(field: field, value: number, allowed: field.allowed))"))
          continue
        }
        configuration[field] = number
      } else {
        choose(&configuration, key, value)
      }
    }
  }

  private mutating func choose(_ configuration: inout FlowConfiguration, _ key: PolicyWord, _ value: PolicyWord) {
    switch key.text {
    case "mode": pick(&configuration.mode, key, value)
    case "transmitWindow": pick(&configuration.transmitWindow, key, value)
    case "receiveWindow": pick(&configuration.receiveWindow, key, value)
    case "shutWindow": pick(&configuration.shutWindow, key, value)
    case "receiveRecovery": pick(&configuration.receiveRecovery, key, value)
    case "congestionAlgorithm": pick(&configuration.congestionAlgorithm, key, value)
    case "usesHyStart": pick(&configuration.usesHyStart, key, value)
    case "isPaced": pick(&configuration.isPaced, key, value)
    case "sendsLarge": pick(&configuration.sendsLarge, key, value)
    case "ecn": pick(&configuration.overrides.ecn, key, value)
    case "stripOptions": list(&configuration.overrides.strippedOptions, key, value, of: HeaderOverrides.strippable)
    case "addOptions": list(&configuration.overrides.addedOptions, key, value, of: HeaderOverrides.addable)
    case "extends": fail(key.error("extends stands first, behind the name"))
    default:
      let keys = ConfigurationField.allCases.map(\.rawValue) + Self.choices
      let meant = NearestWord.of(key.text, in: keys).map { "; did you mean \($0)?" } ?? ""
      fail(key.error("there is no \(key.shown) in a configuration\(meant)"))
    }
  }

  /// One of the cases, by its name.
  private mutating func pick<Choice: CaseIterable>(_ choice: inout Choice, _ key: PolicyWord, _ value: PolicyWord) {
    if let found = Choice.allCases.first(where: { "\($0)" == value.text }) {
      choice = found
      return
    }
    let names = Choice.allCases.map { "\($0)" }
    fail(value.error("\(key.text) is \(names.joined(separator: ", ")), not \(value.shown)"))
  }

  private mutating func pick(_ choice: inout Bool, _ key: PolicyWord, _ value: PolicyWord) {
    switch value.text {
    case "on": choice = true
    case "off": choice = false
    default: fail(value.error("\(key.text) is on or off, not \(value.shown)"))
    }
  }

  /// Names of options with commas between them, or that there are none.
  private mutating func list(
    _ kinds: inout TCPOptionKinds, _ key: PolicyWord, _ value: PolicyWord,
    of known: [(name: String, kinds: TCPOptionKinds)]
  ) {
    kinds = []
    guard value.text != "none" else { return }
    for name in value.text.split(separator: ",", omittingEmptySubsequences: false) {
      if let option = known.first(where: { $0.name == name }) {
        kinds.formUnion(option.kinds)
        continue
      }
      let names = known.map(\.name)
      let word = PolicyWord(text: name, line: value.line, column: value.column)
      let meant = NearestWord.of(name, in: names).map { "; did you mean \($0)?" } ?? ""
      fail(value.error("\(key.text) is none, or of \(names.joined(separator: ",")), not \(word.shown)\(meant)"))
    }
  }

  /// The number in the field's unit.
  private mutating func number(_ field: ConfigurationField, _ word: PolicyWord) -> Int? {
    let text = word.text
    if field == .slowStartThreshold, text == "none" { return Int(UInt32.max) }
    let units = Self.units(field.unit)
    if let amount = Self.amount(text, units) { return amount }
    // Nothing is as much in any unit.
    if AddressParser.decimal(text, digits: 10) == 0 { return 0 }
    let names = units.map(\.name).filter { !$0.isEmpty }
    let form = names.isEmpty ? "a number" : "a number with \(names.joined(separator: ", "))"
    fail(word.error("\(field.rawValue) is \(form), not \(word.shown)"))
    return nil
  }

  /// A number with one of the units; nil: it is none. What is beyond all numbers is the greatest of them.
  static func amount(_ text: Substring, _ units: [(name: String, factor: Int)]) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isWholeNumber }
    guard let number = AddressParser.decimal(digits, digits: 10),
      let factor = units.first(where: { $0.name == text[digits.endIndex...] })?.factor
    else { return nil }
    let product = number.multipliedReportingOverflow(by: factor)
    return product.overflow ? .max : product.partialValue
  }

  static func units(_ unit: String) -> [(name: String, factor: Int)] {
    switch unit {
    case "octets": [("", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]
    case "ns": [("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)]
    default: [("", 1)]
    }
  }
}
