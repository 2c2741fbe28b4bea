// SPDX-License-Identifier: Apache-2.0

// The line that says how many connections may be followed.

extension PolicyTextParser {
  mutating func readLimit(_ first: PolicyWord, _ words: ArraySlice<PolicyWord>) {
    if let limitWord { fail(first.error("there is a limit already, on line \(limitWord.line)")) }
    limitWord = first
    guard !words.isEmpty else { return fail(first.error("a limit says a number: limit flows=4096")) }
    var seen: Set<String> = []
    for word in words {
      guard let (key, value) = pair(word, &seen) else { continue }
      guard key.text == "flows" else {
        fail(key.error("there is no \(key.shown) in a limit; it says flows=NUMBER"))
        continue
      }
      guard let number = Int(value.text), value.text.allSatisfy(\.isWholeNumber),
        Classifier.allowedFlows.contains(number)
      else {
        fail(value.error("flows is 1 to \(Classifier.allowedFlows.upperBound), not \(value.shown)"))
        continue
      }
      flowLimit = number
    }
  }
}
