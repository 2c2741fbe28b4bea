// SPDX-License-Identifier: Apache-2.0

extension Knob {
  /// A value for people: `2 MiB`, `0.75`, `auto`.
  func shown(_ value: KnobValue) -> String {
    switch (kind, value) {
    case (.size(_, let word), .number(let number)):
      named(number, word) ?? NumberText.shown(number, NumberText.sizeUnits, gap: " ")
    case (.count(_, let word), .number(let number)): named(number, word) ?? "\(number)"
    case (.time, .number(let number)):
      number == 0 ? "0" : NumberText.shown(number, NumberText.timeUnits, gap: " ")
    case (.fraction(_, let word), .number(let number)): named(number, word) ?? NumberText.shownFraction(number)
    case (.rate, .number(let number)):
      number == 0 ? "unlimited" : NumberText.shown(number, NumberText.rateUnits, gap: " ")
    case (_, .number(let number)): "\(number)"
    case (_, .word(let word)): word
    case (_, .words(let words)): words.isEmpty ? "none" : words.joined(separator: ",")
    }
  }

  /// The value of its flat key (docs/policy.md).
  func flat(_ value: KnobValue, _ part: KnobPart) -> String {
    switch (kind, value) {
    case (.size, .number(let number)):
      self == .slowStartThreshold && number == Int(UInt32.max)
        ? "none" : NumberText.shown(number, NumberText.sizeUnits)
    case (.time, .number(let number)): NumberText.shown(number, NumberText.timeUnits)
    case (.rate, .number(let number)): number == 0 ? "none" : NumberText.shown(number, NumberText.rateUnits)
    case (_, .number(let number)): "\(number)"
    case (.choice(let choices), .word(let word)):
      self == .advertise && word == "auto"
        ? (part == .receive ? "receiver" : "buffer") : choices.first { $0.word == word }?.flat ?? word
    case (_, .word(let word)): word
    case (_, .words(let words)): words.isEmpty ? "none" : words.joined(separator: ",")
    }
  }

  private func named(_ number: Int, _ word: KnobWord?) -> String? {
    guard let word, word.number == number else { return nil }
    return word.word
  }
}
