// SPDX-License-Identifier: Apache-2.0

/// Reads the text of a policy (docs/policy.md), line by line: a statement each, # before what is for people.
///
///     default mode=early
///     configuration bulk extends=config2 transmitBufferSize=4MiB congestionAlgorithm=bic
///     phases fast config1 until=1MiB bulk
///     rule source=10.0.0.0/8 destinationPort=5201-5210 configuration=bulk class=bulk
///     shape transmitRate=100Mbit/s
///     limit flows=4096
///
/// It goes on after a mistake, so that all are told at once. A line takes time by its length, which is limited, and memory by what it says.
public struct PolicyTextParser: Sendable {
  /// Octets of the longest line.
  public static let longestLine = 4096
  private static let statements = ["configuration", "default", "limit", "phases", "rule", "shape"]

  /// What configurations begin with that extend no other.
  private(set) var fallback: FlowConfiguration
  var configurations: [(name: PolicyName, configuration: FlowConfiguration, word: PolicyWord)] = []
  var phases: [(phases: PolicyPhases, word: PolicyWord)] = []
  var rules: [(rule: PolicyRule, word: PolicyWord)] = []
  var shaping = Shaping()
  /// Where it stands.
  var shapeWord: PolicyWord?
  var flowLimit: Int?
  var limitWord: PolicyWord?
  private(set) var errors: [PolicyTextError] = []
  private var hasStatements = false
  private var lineCount = 0
  /// Where `default` stands, or would.
  private var fallbackWord = PolicyWord(text: "default", line: 1, column: 1)

  /// - Parameter fallback: of connections that no rule is for, as long as the text does not say otherwise.
  public init(fallback: FlowConfiguration) { self.fallback = fallback }

  /// Reads the next line, without the octet that ends it.
  public mutating func read(line: Substring) {
    lineCount += 1
    guard line.utf8.count <= Self.longestLine else {
      let start = PolicyWord(text: "", line: lineCount, column: Self.longestLine + 1)
      return fail(start.error("a line has at most \(Self.longestLine) octets"))
    }
    read(PolicyWord.words(line, number: lineCount))
  }

  /// Notes a mistake, as long as there are not too many.
  mutating func fail(_ error: PolicyTextError) {
    if errors.count < PolicyTextErrors.most { errors.append(error) }
  }

  private mutating func read(_ words: [PolicyWord]) {
    guard let first = words.first else { return }
    let rest = words.dropFirst()
    switch first.text {
    case "default":
      if hasStatements { fail(first.error("default comes before all else, and once: the others begin with it")) }
      fallbackWord = first
      readFallback(rest)
    case "configuration": readConfiguration(first, rest)
    case "phases": readPhases(first, rest)
    case "rule": readRule(first, rest)
    case "shape": readShape(first, rest)
    case "limit": readLimit(first, rest)
    default:
      let meant = NearestWord.of(first.text, in: Self.statements).map { "; did you mean \($0)?" } ?? ""
      fail(
        first.error(
          "a line begins with default, configuration, phases, rule, shape or limit, not \(first.shown)\(meant)"))
    }
    hasStatements = true
  }

  private mutating func readFallback(_ words: ArraySlice<PolicyWord>) {
    var configuration = fallback
    set(&configuration, words)
    fallback = configuration
  }

  /// The word as key and value, once for each key.
  mutating func pair(_ word: PolicyWord, _ seen: inout Set<String>) -> (key: PolicyWord, value: PolicyWord)? {
    guard let pair = word.pair else {
      fail(word.error("\(word.shown) says nothing: KEY=VALUE"))
      return nil
    }
    guard !pair.value.text.isEmpty else {
      fail(pair.value.error("\(pair.key.shown) has no value"))
      return nil
    }
    guard seen.insert(String(pair.key.text)).inserted else {
      fail(pair.key.error("\(pair.key.shown) stands twice on this line"))
      return nil
    }
    return pair
  }

  /// A name, or nil if it can't be one.
  mutating func name(_ word: PolicyWord) -> PolicyName? {
    if let name = PolicyName(word.text) { return name }
    fail(word.error("\(word.shown) is no name: 1 to \(PolicyName.maximumLength) letters, digits, -, _ and ."))
    return nil
  }

  /// What all lines say.
  public func finish() throws(PolicyTextErrors) -> Classifier {
    guard errors.isEmpty else {
      throw PolicyTextErrors(errors: errors.sorted { ($0.line, $0.column) < ($1.line, $1.column) })
    }
    do {
      return try Classifier(
        rules: rules.map(\.rule),
        configurations: configurations.map { NamedConfiguration(name: $0.name, configuration: $0.configuration) },
        phases: phases.map(\.phases), fallback: fallback, shaping: shaping, flowLimit: flowLimit)
    } catch {
      throw PolicyTextErrors(errors: [word(of: error).error("\(error)")])
    }
  }

  /// Where it is that is wrong with the whole.
  private func word(of error: PolicyError) -> PolicyWord {
    switch error {
    case .tooManyRules(_, let limit): rules[min(limit, rules.count - 1)].word
    case .tooManyConfigurations(_, let limit): configurations[min(limit, configurations.count - 1)].word
    case .duplicateConfiguration(let name), .invalidConfiguration(let name, _):
      configurations.last { $0.name == name }?.word ?? fallbackWord
    case .invalidPhases(let name, _), .unknownPhase(let name, _):
      phases.last { $0.phases.name == name }?.word ?? fallbackWord
    case .tooManyPhases: phases.last?.word ?? fallbackWord
    case .unknownConfiguration(_, let rule), .invalidMatch(_, let rule): rules[rule].word
    case .tooManyClasses: rules.last?.word ?? fallbackWord
    }
  }
}
