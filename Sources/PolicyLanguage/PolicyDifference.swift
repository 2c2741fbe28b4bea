// SPDX-License-Identifier: Apache-2.0

public import YAMLDocument

/// What another policy changes for NICs and their connections.
public struct PolicyDifference: Sendable {
  /// More changes are counted only.
  public static let mostChanges = 1000

  public internal(set) var flowCount = 0
  public internal(set) var classChanges = 0
  public internal(set) var lostEarly = 0
  public internal(set) var gainedEarly = 0
  /// Connections of which a knob changes, but not the class.
  public internal(set) var otherChanges = 0
  public internal(set) var changes: [FlowChange] = []
  /// NICs for which one of the policies can't be compiled are left out.
  public internal(set) var mistakes: [PolicyMistake] = []

  init() {}

  mutating func add(_ change: FlowChange) {
    if change.flow != nil {
      classChanges += change.changesClass ? 1 : 0
      lostEarly += change.losesEarly ? 1 : 0
      gainedEarly += change.gainsEarly ? 1 : 0
      otherChanges += change.changesClass ? 0 : 1
    }
    if changes.count < Self.mostChanges { changes.append(change) }
  }

  /// `37 flows change class, 2 lose early acknowledgment, ...`, and a line for each change.
  public var text: String {
    func flows(_ count: Int, _ one: String, _ many: String) -> String { "\(count) \(count == 1 ? one : many)" }
    let summary =
      "of \(flows(flowCount, "flow", "flows")) \(flows(classChanges, "changes", "change")) class, "
      + "\(flows(lostEarly, "loses", "lose")) early acknowledgment, \(flows(gainedEarly, "gains", "gain")) it, "
      + "\(flows(otherChanges, "keeps its class and changes", "keep their class and change")) otherwise"
    return ([summary] + mistakes.map(\.description) + changes.map(\.line)).map { $0 + "\n" }.joined()
  }

  public var json: JSONValue {
    .object([
      JSONMember("flows", .int(flowCount)), JSONMember("classChanges", .int(classChanges)),
      JSONMember("lostEarly", .int(lostEarly)), JSONMember("gainedEarly", .int(gainedEarly)),
      JSONMember("otherChanges", .int(otherChanges)),
      JSONMember("mistakes", .array(mistakes.map { .string("\($0)") })),
      JSONMember("changes", .array(changes.map(\.json))),
    ])
  }
}
