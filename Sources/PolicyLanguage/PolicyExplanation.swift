// SPDX-License-Identifier: Apache-2.0

public import YAMLDocument

/// Why a connection is treated as it is.
public struct PolicyExplanation: Sendable {
  /// A rule that is for other connections, or that comes too late.
  public struct Other: Sendable {
    public let rule: String
    public let place: PolicyPlace
    /// `peer 10.9.9.9 is in $dc`.
    public let reason: String
  }

  /// A part of the connection's life.
  public struct Phase: Sendable {
    /// Nil: with the connection.
    public let until: String?
    /// Of the first phase all, of the others what differs from the one before.
    public let knobs: [EffectiveKnob]
  }

  public let flow: String
  /// The first that matches; nil: none does.
  public let rule: String?
  public let rulePlace: PolicyPlace?
  /// What the rule asks for, all of which holds.
  public let matched: [String]
  /// The class, the one that it extends, and so on. Empty: there is none.
  public let classes: [String]
  /// The classes that the VM and its NIC have, and by whom.
  public let vmClasses: [String]
  public let phases: [Phase]
  public let others: [Other]
  /// Why nothing can be said; then all else is empty.
  public let mistakes: [PolicyMistake]

  /// For people: what is built in is left out.
  public var text: String {
    guard mistakes.isEmpty else { return mistakes.map { "\($0)\n" }.joined() }
    var lines = ["flow    \(flow)"]
    let conditions = matched.isEmpty ? "" : "   (matched: \(matched.joined(separator: ", ")))"
    lines.append("rule    \(rule ?? "none")\(rulePlace.map { "   \($0.line)" } ?? "")\(conditions)")
    if !classes.isEmpty { lines.append("class   \(classes.joined(separator: " -> "))") }
    for name in vmClasses { lines.append("VM      \(name)") }
    for (number, phase) in phases.enumerated() {
      if phases.count > 1 {
        lines.append("phase   \(number + 1)\(phase.until.map { ", until \($0)" } ?? ", with the connection")")
      }
      lines += Self.table(phase.knobs.filter { $0.origin.layer != .builtIn })
    }
    for other in others { lines.append("not taken: \(other.rule)   \(other.place.line)   (\(other.reason))") }
    return lines.map { $0 + "\n" }.joined()
  }

  private static func table(_ knobs: [EffectiveKnob]) -> [String] {
    guard !knobs.isEmpty else { return ["all knobs are built-in"] }
    let rows = [("KNOB", "VALUE", "FROM")] + knobs.map { ($0.name, $0.value, "\($0.origin)") }
    let first = rows.map(\.0.count).max() ?? 0
    let second = rows.map(\.1.count).max() ?? 0
    func padded(_ text: String, _ count: Int) -> String {
      text + String(repeating: " ", count: max(0, count - text.count))
    }
    return rows.map { "\(padded($0.0, first))  \(padded($0.1, second))  \($0.2)" }
  }

  /// For programs.
  public var json: JSONValue {
    guard mistakes.isEmpty else {
      return .object([JSONMember("mistakes", .array(mistakes.map { .string("\($0)") }))])
    }
    let taken: JSONValue =
      rule.map { name in
        .object(
          [JSONMember("name", .string(name))] + Self.place(rulePlace)
            + [JSONMember("matched", .array(matched.map { .string($0) }))])
      } ?? .null
    return .object([
      JSONMember("flow", .string(flow)), JSONMember("rule", taken),
      JSONMember("classes", .array(classes.map { .string($0) })),
      JSONMember("vmClasses", .array(vmClasses.map { .string($0) })),
      JSONMember("phases", .array(phases.map(Self.json))),
      JSONMember(
        "notTaken",
        .array(
          others.map { other in
            .object(
              [JSONMember("rule", .string(other.rule))] + Self.place(other.place)
                + [JSONMember("reason", .string(other.reason))])
          })),
    ])
  }

  private static func json(_ phase: Phase) -> JSONValue {
    .object([
      JSONMember("until", phase.until.map { .string($0) } ?? .null),
      JSONMember("knobs", .array(phase.knobs.map(json))),
    ])
  }

  private static func json(_ knob: EffectiveKnob) -> JSONValue {
    .object(
      [
        JSONMember("name", .string(knob.name)), JSONMember("value", .string(knob.value)),
        JSONMember("from", .string(knob.origin.source)),
      ] + place(knob.origin.place) + (knob.origin.clamp.map { [JSONMember("clamped", .string($0))] } ?? [])
        + [JSONMember("counts", .string(knob.knob.application.rawValue))])
  }

  private static func place(_ place: PolicyPlace?) -> [JSONMember] {
    guard let place else { return [] }
    return [
      JSONMember("file", .string(place.file)), JSONMember("line", .int(place.mark.line)),
      JSONMember("column", .int(place.mark.column)),
    ]
  }
}
