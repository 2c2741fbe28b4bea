// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
public import Timekeeping
import YAMLDocument

/// The body of `POST /v1/overrides`: `{"key": "buffer", "value": "4MiB", "ttl": "10m", "vm": "web1"}`, or `"nic"` in place of `"vm"`, or neither: of all.
public struct OverrideRequest: Equatable, Sendable {
  public let target: OverrideTable.Target
  public let key: String
  public let value: String
  public let time: Interval

  /// Throws all mistakes.
  public init(reading octets: [UInt8]) throws(ServiceError) {
    let reading = YAMLReader.read(octets)
    var mistakes = MistakeList(file: "request")
    for mistake in reading.mistakes { mistakes.add(mistake.mark, mistake.sentence) }
    let root = reading.root ?? YAMLNode(mark: YAMLMark(line: 1, column: 1), content: .mapping([]))
    var reader = SettingsReader(root, known: ["key", "value", "ttl", "vm", "nic"], mistakes: mistakes)
    let key = reader.text("key")
    let value = reader.text("value")
    let time = reader.interval("ttl")
    let machine = reader.text("vm")
    let nic = reader.text("nic")
    if key == nil, reader.node("key") == nil {
      reader.mistakes.add(root.mark, "'key' is missing: which knob of the policy")
    }
    if value == nil, reader.node("value") == nil { reader.mistakes.add(root.mark, "'value' is missing") }
    if time == nil, reader.node("ttl") == nil {
      reader.mistakes.add(root.mark, "'ttl' is missing: how long it is to hold, as 10m")
    }
    if machine != nil, nic != nil { reader.fail("nic", "and 'vm' do not go together") }
    guard let key, let value, let time, reader.mistakes.isEmpty else {
      throw ServiceError(.mistaken, "the override can't be understood", mistakes: reader.mistakes.lines)
    }
    self.key = key
    self.value = value
    self.time = time
    target = nic.map { .nic($0) } ?? machine.map { .machine($0) } ?? .all
  }
}
