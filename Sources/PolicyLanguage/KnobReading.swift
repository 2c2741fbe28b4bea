// SPDX-License-Identifier: Apache-2.0

import TCPPolicy

/// What a text says as the value of a knob.
enum KnobReading {
  case value(KnobValue)
  /// It is none, and why.
  case mistake(String)

  init(_ knob: Knob, _ text: String) {
    switch knob.kind {
    case .size(let range, let word):
      self = Self.number(knob, text, range, word, NumberText.sizeUnits, "octets, KiB, MiB or GiB")
    case .time(let range): self = Self.number(knob, text, range, nil, NumberText.timeUnits, "us, ms or s")
    case .rate(let range):
      let unlimited = KnobWord("unlimited", 0)
      self = Self.number(knob, text, range, unlimited, NumberText.rateUnits, "bit/s, kbit/s, Mbit/s or Gbit/s")
    case .count(let range, let word):
      if let word, text == word.word {
        self = .value(.number(word.number))
      } else if let number = NumberText.decimal(text), range.contains(number) {
        self = .value(.number(number))
      } else {
        let or = word.map { " or \($0.word)" } ?? ""
        self = .mistake(
          "\(knob.rawValue) is \(range.lowerBound) to \(range.upperBound)\(or), not \(Self.shown(text, word))")
      }
    case .fraction(let range, let word): self = Self.fraction(knob, text, range, word)
    case .choice(let choices):
      if knob == .firstStage, text != "auto" {
        self = .mistake("lso.firstStage is auto: how large the guest's sends are is set with vtcp-nic --large-send")
      } else {
        self = Self.choice(knob, text, choices.map(\.word))
      }
    case .toggle:
      switch text {
      case "on", "true": self = .value(.word("on"))
      case "off", "false": self = .value(.word("off"))
      default: self = .mistake("\(knob.rawValue) is on or off, not \(Suggestion.quoted(text))")
      }
    case .options(let names): self = Self.options(knob, text.split(separator: ",").map(String.init), names)
    }
  }

  private static func choice(_ knob: Knob, _ text: String, _ words: [String]) -> KnobReading {
    if words.contains(text) { return .value(.word(text)) }
    // YAML's other words for them.
    if text == "true", words.contains("on") { return .value(.word("on")) }
    if text == "false", words.contains("off") { return .value(.word("off")) }
    return .mistake(
      "\(knob.rawValue) is \(Suggestion.list(words)), not \(Suggestion.quoted(text))\(Suggestion.meant(text, words))")
  }

  /// Names of options; `none` is the empty list.
  static func options(_ knob: Knob, _ given: [String], _ names: [String]) -> KnobReading {
    if given == ["none"] { return .value(.words([])) }
    for name in given where !names.contains(name) {
      return .mistake(
        "\(knob.rawValue) is none or of \(Suggestion.list(names)), not \(Suggestion.quoted(name))\(Suggestion.meant(name, names))"
      )
    }
    return .value(.words(names.filter(given.contains)))
  }

  private static func number(
    _ knob: Knob, _ text: String, _ range: ClosedRange<Int>, _ word: KnobWord?, _ units: [(String, Int)],
    _ names: String
  ) -> KnobReading {
    if let word, text == word.word { return .value(.number(word.number)) }
    let isZero = NumberText.decimal(text) == 0 && range.contains(0)
    if let number = isZero ? 0 : NumberText.amount(text, units), range.contains(number) {
      return .value(.number(number))
    }
    let (digits, rest) = NumberText.split(text)
    let known = units.map(\.0).filter { !$0.isEmpty }
    var meant = word.map { Suggestion.meant(text, [$0.word]) } ?? ""
    if !digits.isEmpty {
      let isKnown = known.contains(String(rest))
      meant = isKnown ? "" : Suggestion.nearest(String(rest), known).map { " (did you mean \(digits)\($0)?)" } ?? ""
      // A broken number has another unit in it.
      if rest.isEmpty || rest.hasPrefix(".") { meant = "" }
    }
    let bounds = "\(NumberText.shown(range.lowerBound, units)) to \(NumberText.shown(range.upperBound, units))"
    let or = word.map { ", or \($0.word)" } ?? ""
    return .mistake("\(knob.rawValue) is \(bounds) in \(names)\(or), not \(Suggestion.quoted(text))\(meant)")
  }

  private static func fraction(
    _ knob: Knob, _ text: String, _ range: ClosedRange<Int>, _ word: KnobWord?
  ) -> KnobReading {
    if let word, text == word.word { return .value(.number(word.number)) }
    if let number = NumberText.fraction(text), range.contains(number) { return .value(.number(number)) }
    let bounds = "\(NumberText.shownFraction(range.lowerBound)) to \(NumberText.shownFraction(range.upperBound))"
    let or = word.map { ", or \($0.word)" } ?? ""
    return .mistake("\(knob.rawValue) is \(bounds)\(or), not \(shown(text, word))")
  }

  private static func shown(_ text: String, _ word: KnobWord?) -> String {
    Suggestion.quoted(text) + (word.map { Suggestion.meant(text, [$0.word]) } ?? "")
  }
}
