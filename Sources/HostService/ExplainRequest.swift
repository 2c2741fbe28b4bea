// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import YAMLDocument

/// The body of `POST /v1/policy/explain`: `{"flow": "tcp 10.1.2.3:40022 > 10.9.9.9:873", "vm": "web1"}`, or `"nic"` in place of `"vm"`; with `"policy"` a text that is not in force is
/// asked.
public struct ExplainRequest: Equatable, Sendable {
  public let flow: String
  public let machine: String?
  public let nic: String?
  public let policy: String?

  /// Throws all mistakes.
  public init(reading octets: [UInt8]) throws(ServiceError) {
    let reading = YAMLReader.read(octets)
    var mistakes = MistakeList(file: "request")
    for mistake in reading.mistakes { mistakes.add(mistake.mark, mistake.sentence) }
    let root = reading.root ?? YAMLNode(mark: YAMLMark(line: 1, column: 1), content: .mapping([]))
    var reader = SettingsReader(root, known: ["flow", "vm", "nic", "policy"], mistakes: mistakes)
    let flow = reader.text("flow")
    machine = reader.text("vm")
    nic = reader.text("nic")
    policy = reader.text("policy")
    if flow == nil, reader.node("flow") == nil {
      reader.mistakes.add(root.mark, "'flow' is missing: a connection such as tcp 10.1.2.3:40022 > 10.9.9.9:873")
    }
    guard let flow, reader.mistakes.isEmpty else {
      throw ServiceError(.mistaken, "the question can't be understood", mistakes: reader.mistakes.lines)
    }
    self.flow = flow
  }
}
