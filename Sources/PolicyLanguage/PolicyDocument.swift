// SPDX-License-Identifier: Apache-2.0

/// A policy in the language of administrators (docs/policy-language.md): classes, which say how connections are treated, rules, which say
/// which connections have which class, and who has which class if no rule says so.
///
/// Steps: `load` reads texts, and tells all that is wrong with them at once (`PolicyReader`). `compile` makes the flat policy of
/// docs/policy.md for one NIC (`PolicyCompiler`): what is said of VMs is evaluated, classes are merged knob by knob, and each knob keeps
/// where its value comes from. `explain` has the datapath's own classifier decide on that text.
///
/// It does not read files, knows no clock, and keeps nothing: overrides and facts come with each call.
public struct PolicyDocument: Sendable {
  /// The language's version that texts begin with.
  public static let apiVersion = "vtcp/v1"
  /// Rules and assignments, classes, sets, each of all files together.
  static let ruleLimit = 1024
  static let classLimit = 1024
  static let setLimit = 1024
  /// Values of a list.
  static let listLimit = 4096
  /// Classes that extend one another.
  static let chainLimit = 16

  /// `metadata.name`; for people.
  public internal(set) var name: String?
  /// `metadata.revision`; for people.
  public internal(set) var revision: Int?
  var limits = PolicyLimits()
  var classes: [String: PolicyClass] = [:]
  /// In the order of the files.
  var classNames: [String] = []
  var rules: [LanguageRule] = []
  var assignments: [ClassAssignment] = []
  var fallback: (name: String, place: PolicyPlace)?

  /// Reads texts, in this order: sets and classes of all are one, rules follow one another.
  public static func load(_ sources: [PolicySource]) -> PolicyReading {
    var reader = PolicyReader(sources)
    return reader.read()
  }

  /// A class, the one that it extends, and so on. Empty: there is no such class.
  func chain(_ name: String) -> [PolicyClass] {
    var chain: [PolicyClass] = []
    var next: String? = name
    while let name = next, let found = classes[name], chain.count < Self.chainLimit {
      chain.append(found)
      next = found.parent?.name
    }
    return chain
  }

  /// The phases of a class: its own, or those of the nearest that it extends. Nil: none of them says anything.
  func phases(_ chain: [PolicyClass]) -> [ClassPhase]? { chain.lazy.compactMap(\.phases).first }
}
