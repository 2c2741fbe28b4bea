// SPDX-License-Identifier: Apache-2.0

/// The options of a command: `--name value`, and `--name` alone for a switch.
struct Arguments {
  private var values: [String: String] = [:]
  private var switches: Set<String> = []

  /// Takes options named in `options` (with a value) and `switches` (without), each at most once.
  init(_ words: some Sequence<String>, options: Set<String>, switches known: Set<String> = []) throws {
    var name: String?
    for word in words {
      if let option = name {
        guard values.updateValue(word, forKey: option) == nil else { throw BenchError("\(option) is given twice") }
        name = nil
      } else if known.contains(word) {
        switches.insert(word)
      } else {
        guard options.contains(word) else { throw BenchError("there is no option \(word)") }
        name = word
      }
    }
    if let name { throw BenchError("\(name) needs a value") }
  }

  subscript(_ name: String) -> String? { values[name] }

  func isOn(_ name: String) -> Bool { switches.contains(name) }

  func required(_ name: String) throws -> String {
    guard let value = values[name] else { throw BenchError("\(name) is missing") }
    return value
  }

  func number(_ name: String, in range: ClosedRange<Int>, default fallback: Int) throws -> Int {
    guard let text = values[name] else { return fallback }
    guard let value = Int(text), range.contains(value) else {
      throw BenchError("\(name) is a number from \(range.lowerBound) to \(range.upperBound), not \(text)")
    }
    return value
  }

  /// Seconds, with a fraction if wanted; nil when not given.
  func seconds(_ name: String) throws -> Double? {
    guard let text = values[name] else { return nil }
    guard let value = Double(text), value > 0, value <= 86_400 else {
      throw BenchError("\(name) is a number of seconds, not \(text)")
    }
    return value
  }
}
