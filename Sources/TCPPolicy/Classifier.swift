// SPDX-License-Identifier: Apache-2.0

/// A policy as the module uses it (FIG. 16): rules in order, of which the first that is for a connection decides.
///
/// It never changes; another policy is another classifier, whose numbers mean something else. Names are looked up and everything is
/// checked when it is made. A lookup compares with each rule in turn, at most `ruleLimit` of them, and allocates nothing. It is for
/// once in the life of a connection.
///
/// Configuration 0 and class 0 are those of connections that no rule is for. The presets `config1` and `config2` are there in every
/// policy, unless it defines the names otherwise.
public struct Classifier: Sendable {
  public static let ruleLimit = 1024
  /// Configurations and classes are numbered by an octet.
  public static let configurationLimit = 256
  public static let classLimit = 256
  /// What `flowLimit` may be. A NIC has room for fewer.
  public static let allowedFlows = 1...16_777_216

  private let rules: [CompiledRule]
  /// What rules name, and behind that each phase, beside those that follow it.
  private let configurations: [NamedConfiguration]
  /// When it is over, for each of them; nil: with the connection.
  private let ends: [PhaseEnd?]
  private let classes: [PolicyName]
  /// How fast the VM may send and receive.
  public let shaping: Shaping
  /// Connections of the VM that are followed at once; further ones pass. Nil: as many as there is room for.
  public let flowLimit: Int?

  /// - Parameters:
  ///   - rules: the first that matches counts.
  ///   - configurations: what rules may name besides the presets.
  ///   - phases: of these configurations and the presets; rules may name them as well.
  ///   - fallback: of connections that no rule is for; rules may name it `PolicyName.fallback`.
  ///   - shaping: of all connections together, and of all else.
  ///   - flowLimit: connections that are followed at once.
  public init(
    rules: [PolicyRule] = [], configurations: [NamedConfiguration] = [], phases: [PolicyPhases] = [],
    fallback: FlowConfiguration = FlowConfiguration(), shaping: Shaping = Shaping(),
    flowLimit: Int? = nil
  ) throws(PolicyError) {
    guard rules.count <= Self.ruleLimit else { throw .tooManyRules(rules.count, limit: Self.ruleLimit) }
    var all = try Self.all(configurations, fallback)
    let added = try Self.added(phases, to: all, room: Self.room - configurations.count)
    let names = all.map { Optional($0.name) } + added.map(\.name)
    ends = Array(repeating: nil, count: all.count) + added.map(\.end)
    all += added.map(\.configuration)
    var classes = [PolicyName.fallback]
    var compiled: [CompiledRule] = []
    compiled.reserveCapacity(rules.count)
    for (number, rule) in rules.enumerated() {
      guard let configuration = names.firstIndex(of: rule.configuration) else {
        throw .unknownConfiguration(rule.configuration, rule: number)
      }
      let result = Classification(
        configuration: UInt8(configuration), flowClass: try Self.number(of: rule.flowClass, in: &classes),
        rule: UInt16(number))
      do {
        compiled.append(try CompiledRule(rule.match, result: result))
      } catch {
        throw .invalidMatch(error, rule: number)
      }
    }
    self.shaping = shaping
    self.flowLimit = flowLimit
    self.rules = compiled
    self.configurations = all
    self.classes = classes
  }

  /// A policy as it is written (docs/policy.md).
  ///
  /// - Parameter fallback: of connections that no rule is for, as long as the text has no `default`.
  public init(parsing text: String, fallback: FlowConfiguration) throws(PolicyTextErrors) {
    var parser = PolicyTextParser(fallback: fallback)
    for line in Substring(text).utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      parser.read(line: Substring(line))
    }
    self = try parser.finish()
  }

  /// What the first rule says that is for the connection.
  public func classify(_ facts: ConnectionFacts) -> Classification {
    let words = ConnectionWords(facts)
    for rule in rules where rule.matches(words) { return rule.result }
    return .fallback
  }

  /// No connection would get another mode than `off`, or other headers.
  public var isOff: Bool {
    let results = [Classification.fallback] + rules.map(\.result)
    return results.allSatisfy { isOff($0.configuration) }
  }

  /// It is `off` and changes no header, and so is every phase that follows it.
  public func isOff(_ number: UInt8) -> Bool {
    var number = number
    while configuration(number).effectiveMode == .off, configuration(number).overrides.isEmptyWhenOff {
      guard end(number) != nil else { return true }
      number &+= 1
    }
    return false
  }

  /// When the phase of that number is over, and the next number applies; nil: with the connection.
  public func end(_ number: UInt8) -> PhaseEnd? { Int(number) < ends.count ? ends[Int(number)] : nil }

  public var ruleCount: Int { rules.count }
  public var configurationCount: Int { configurations.count }
  public var classCount: Int { classes.count }

  /// The configuration of a number that `classify` gave; of one that it can't have given, the fallback.
  public func configuration(_ number: UInt8) -> FlowConfiguration {
    configurations[Int(number) < configurations.count ? Int(number) : 0].configuration
  }

  /// As `configuration(_:)`.
  public func configurationName(_ number: UInt8) -> PolicyName {
    configurations[Int(number) < configurations.count ? Int(number) : 0].name
  }

  /// As `configuration(_:)`.
  public func className(_ number: UInt8) -> PolicyName {
    classes[Int(number) < classes.count ? Int(number) : 0]
  }

  /// What there may be beside the fallback and the presets.
  static var room: Int { configurationLimit - FlowConfiguration.presets.count - 1 }

  /// The phases of each sequence, one behind the other; of the first, the name of the sequence. Checked.
  private static func added(
    _ given: [PolicyPhases], to all: [NamedConfiguration], room: Int
  ) throws(PolicyError) -> [(name: PolicyName?, configuration: NamedConfiguration, end: PhaseEnd?)] {
    var added: [(name: PolicyName?, configuration: NamedConfiguration, end: PhaseEnd?)] = []
    for sequence in given {
      guard !all.contains(where: { $0.name == sequence.name }), !added.contains(where: { $0.name == sequence.name })
      else { throw .duplicateConfiguration(sequence.name) }
      do {
        _ = try sequence.validated()
      } catch {
        throw .invalidPhases(sequence.name, error)
      }
      guard added.count + sequence.phases.count <= room else {
        throw .tooManyPhases(Self.room - room + added.count + sequence.phases.count, limit: Self.room)
      }
      for (place, phase) in sequence.phases.enumerated() {
        guard let configuration = all.first(where: { $0.name == phase.configuration }) else {
          throw .unknownPhase(sequence.name, phase.configuration)
        }
        added.append((place == 0 ? sequence.name : nil, configuration, phase.end))
      }
    }
    return added
  }

  /// The fallback, what was given, and the presets whose names are free; checked.
  private static func all(
    _ given: [NamedConfiguration], _ fallback: FlowConfiguration
  ) throws(PolicyError) -> [NamedConfiguration] {
    guard given.count <= room else { throw .tooManyConfigurations(given.count, limit: room) }
    var all: [NamedConfiguration] = []
    for entry in [NamedConfiguration(name: .fallback, configuration: fallback)] + given {
      guard !all.contains(where: { $0.name == entry.name }) else { throw .duplicateConfiguration(entry.name) }
      do {
        all.append(NamedConfiguration(name: entry.name, configuration: try entry.configuration.validated()))
      } catch {
        throw .invalidConfiguration(entry.name, error)
      }
    }
    for preset in FlowConfiguration.presets where !all.contains(where: { $0.name == preset.name }) {
      all.append(preset)
    }
    return all
  }

  private static func number(
    of name: PolicyName, in classes: inout [PolicyName]
  ) throws(PolicyError) -> UInt8 {
    if let index = classes.firstIndex(of: name) { return UInt8(index) }
    guard classes.count < classLimit else { throw .tooManyClasses(limit: classLimit) }
    classes.append(name)
    return UInt8(classes.count - 1)
  }
}
