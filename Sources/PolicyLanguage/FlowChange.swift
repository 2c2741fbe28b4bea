// SPDX-License-Identifier: Apache-2.0

import YAMLDocument

/// What another policy changes for a connection.
public struct FlowChange: Sendable {
  /// The VM's name and its NIC's address.
  public let nic: String
  /// Nil: what no rule is for.
  public let flow: String?
  /// Nil: no class.
  public let classBefore: String?
  public let classAfter: String?
  public let losesEarly: Bool
  public let gainsEarly: Bool
  /// `tx.buffer: 2 MiB -> 4 MiB`, in the first phase in which they differ.
  public let knobs: [String]

  public var changesClass: Bool { classBefore != classAfter }

  var line: String {
    var text = "\(nic)  \(flow ?? "what no rule is for")"
    if changesClass { text += "  class \(classBefore ?? "none") -> \(classAfter ?? "none")" }
    if losesEarly { text += "  loses early acknowledgment" }
    if gainsEarly { text += "  gains early acknowledgment" }
    return knobs.isEmpty ? text : text + "  " + knobs.joined(separator: ", ")
  }

  var json: JSONValue {
    func name(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
    return .object([
      JSONMember("nic", .string(nic)), JSONMember("flow", name(flow)), JSONMember("classBefore", name(classBefore)),
      JSONMember("classAfter", name(classAfter)), JSONMember("losesEarly", .bool(losesEarly)),
      JSONMember("gainsEarly", .bool(gainsEarly)), JSONMember("knobs", .array(knobs.map { .string($0) })),
    ])
  }
}
