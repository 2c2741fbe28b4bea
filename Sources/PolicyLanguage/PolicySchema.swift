// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
public import YAMLDocument

/// The language as a JSON Schema (draft 7), made of the tables that the reader goes by: for editors. What it can't say is left to the reader:
/// names that must be there, unique keys, sums.
public enum PolicySchema {
  /// `docs/policy.schema.json`.
  public static var json: JSONValue {
    object(
      [
        ("apiVersion", .object([JSONMember("const", .string(PolicyDocument.apiVersion))])),
        ("metadata", metadata), ("limits", limits),
        ("sets", names(.object([JSONMember("type", .string("array")), JSONMember("minItems", .int(1))]))),
        ("classes", names(.object([JSONMember("anyOf", .array([reference("class"), type("null")]))]))),
        ("rules", list(reference("rule"))), ("assign", list(reference("assignment"))), ("default", type("string")),
      ], required: ["apiVersion"],
      head: [
        JSONMember("$schema", .string("http://json-schema.org/draft-07/schema#")),
        JSONMember("title", .string("A policy of vtcp (docs/policy-language.md)")),
      ],
      tail: [
        JSONMember(
          "definitions",
          .object([
            JSONMember("class", definitionOfClass), JSONMember("settings", object(outer)),
            JSONMember("direction", object(directed)), JSONMember("phase", phase), JSONMember("rule", rule),
            JSONMember("match", object(MatchField.allCases.map { ($0.rawValue, field($0)) })),
            JSONMember("assignment", assignment),
          ]))
      ])
  }

  private typealias Properties = [(name: String, schema: JSONValue)]

  // Classes.

  private static var definitionOfClass: JSONValue {
    object(
      [("extends", type("string"))] + outer + [
        (
          "phases",
          .object([
            JSONMember("type", .string("array")), JSONMember("items", reference("phase")),
            JSONMember("maxItems", .int(8)),
          ])
        )
      ])
  }

  /// What stands outside of `tx` and `rx`, and these.
  private static var outer: Properties {
    knobs { _ in true } + [("tx", reference("direction")), ("rx", reference("direction"))]
  }

  private static var directed: Properties { knobs { $0.parts != .both } }

  private static func knobs(_ stands: (Knob) -> Bool) -> Properties {
    var properties: Properties = []
    let all = Knob.allCases.filter(stands)
    for knob in all where knob.group == nil { properties.append((knob.rawValue, schema(knob))) }
    for group in Knob.groups {
      let inner = all.filter { $0.group == group }
      guard !inner.isEmpty else { continue }
      properties.append((group, object(inner.map { ($0.key, schema($0)) })))
    }
    if all.contains(.bufferWeight) {
      properties.append(
        (
          "weight",
          integer(1...255, "The share of the memory and of the turns, beside others: bufferWeight and servingWeight.")
        ))
    }
    return properties
  }

  private static func schema(_ knob: Knob) -> JSONValue {
    let described = JSONMember("description", .string("\(knob.summary) Counts: \(knob.application.rawValue)."))
    switch knob.kind {
    case .size(let range, let word):
      return .object([described, any([integer(range), pattern("^[0-9]{1,10}(KiB|MiB|GiB)?$")], word)])
    case .count(let range, let word): return .object([described, any([integer(range)], word)])
    case .time: return .object([described, any([constant(.int(0)), pattern("^([0-9]{1,10}(us|ms|s)|0)$")], nil)])
    case .rate:
      return .object([described, any([pattern("^([0-9]{1,10}(bit/s|kbit/s|Mbit/s|Gbit/s)|unlimited)$")], nil)])
    case .fraction(let range, let word):
      // Half of 1/1024 is rounded up.
      let number: JSONValue = .object([
        JSONMember("type", .string("number")), JSONMember("exclusiveMinimum", .int(0)),
        JSONMember("maximum", .int(range.upperBound / 1024 + 1)),
      ])
      return .object([described, any([number], word)])
    case .choice(let choices):
      let words = choices.map { JSONValue.string($0.word) }
      let isSwitch = words.contains(.string("on"))
      return .object([described, JSONMember("enum", .array(words + (isSwitch ? [.bool(true), .bool(false)] : [])))])
    case .toggle:
      return .object([
        described, JSONMember("enum", .array([.string("on"), .string("off"), .bool(true), .bool(false)])),
      ])
    case .options(let names):
      let one: JSONValue = .object([JSONMember("enum", .array(names.map { .string($0) }))])
      return .object([described, any([list(one), type("string")], nil)])
    }
  }

  private static var phase: JSONValue {
    let until: JSONValue = .object([
      JSONMember(
        "anyOf",
        .array([
          constant(.string("established")),
          object(
            [("bytes", .object([any([integer(1...1 << 31), pattern("^[0-9]{1,10}(KiB|MiB|GiB)?$")], nil)]))],
            required: ["bytes"]),
          object([("time", pattern("^[0-9]{1,10}(us|ms|s)$"))], required: ["time"]),
        ]))
    ])
    return object([("until", until), ("set", reference("settings"))])
  }

  // Rules.

  private static var rule: JSONValue {
    object(
      [
        ("name", type("string")),
        ("match", .object([JSONMember("anyOf", .array([reference("match"), constant(.string("any"))]))])),
        ("class", type("string")),
        ("replace", .object([JSONMember("enum", .array([.bool(true), .bool(false), .string("on"), .string("off")]))])),
      ], required: ["match", "class"])
  }

  private static var assignment: JSONValue {
    let fields = MatchField.allCases.filter(\.isOfNIC)
    return object(fields.map { ($0.rawValue, field($0)) } + [("class", type("string"))], required: ["class"])
  }

  private static func field(_ field: MatchField) -> JSONValue {
    let described = JSONMember("description", .string(field.summary))
    switch field.kind {
    case .opener:
      let words = ["guest", "network", "any"].map { JSONValue.string($0) }
      return .object([described, JSONMember("enum", .array(words))])
    case .names, .addresses: return .object([described, any([type("string"), list(type("string"))], nil)])
    case .ports: return numbers(described, 0...65535)
    case .numbers(let range, _): return numbers(described, range)
    }
  }

  private static func numbers(_ described: JSONMember, _ range: ClosedRange<Int>) -> JSONValue {
    let one = [integer(range), type("string")]
    let each: JSONValue = .object([JSONMember("anyOf", .array(one))])
    return .object([described, JSONMember("anyOf", .array(one + [list(each)]))])
  }

  // The rest.

  private static var metadata: JSONValue {
    object([("name", type("string")), ("revision", integer(0...9_999_999_999)), ("description", type("string"))])
  }

  private static var limits: JSONValue {
    let words = ["everywhere", "nowhere"].map { constant(.string($0)) }
    let keys = Knob.allCases.map { JSONValue.string($0.rawValue) } + [.string("weight")]
    return object([
      (
        "perVM",
        object([
          ("buffer", schema(.buffer)), ("rate", schema(.rate)),
          ("flows", integer(Classifier.allowedFlows, "Connections of a NIC that are followed at once.")),
        ])
      ),
      ("deviations", .object([JSONMember("anyOf", .array(words + [pattern("^inside-.+-only$")]))])),
      ("tenantKeys", list(.object([JSONMember("enum", .array(keys))]))),
    ])
  }

  // What schemas are made of.

  private static func object(
    _ properties: Properties, required: [String] = [], head: [JSONMember] = [], tail: [JSONMember] = []
  ) -> JSONValue {
    let needed = required.isEmpty ? [] : [JSONMember("required", .array(required.map { .string($0) }))]
    return .object(
      head + [JSONMember("type", .string("object"))] + needed + [
        JSONMember("additionalProperties", .bool(false)),
        JSONMember("properties", .object(properties.map { JSONMember($0.name, $0.schema) })),
      ] + tail)
  }

  /// A mapping of names to this.
  private static func names(_ value: JSONValue) -> JSONValue {
    .object([
      JSONMember("type", .string("object")),
      JSONMember("propertyNames", pattern("^[A-Za-z0-9._-]{1,32}$")), JSONMember("additionalProperties", value),
    ])
  }

  private static func reference(_ name: String) -> JSONValue {
    .object([JSONMember("$ref", .string("#/definitions/\(name)"))])
  }

  private static func type(_ name: String) -> JSONValue { .object([JSONMember("type", .string(name))]) }
  private static func constant(_ value: JSONValue) -> JSONValue { .object([JSONMember("const", value)]) }

  private static func pattern(_ text: String) -> JSONValue {
    .object([JSONMember("type", .string("string")), JSONMember("pattern", .string(text))])
  }

  private static func integer(_ range: ClosedRange<Int>, _ description: String? = nil) -> JSONValue {
    .object(
      (description.map { [JSONMember("description", .string($0))] } ?? []) + [
        JSONMember("type", .string("integer")), JSONMember("minimum", .int(range.lowerBound)),
        JSONMember("maximum", .int(range.upperBound)),
      ])
  }

  private static func list(_ item: JSONValue) -> JSONValue {
    .object([JSONMember("type", .string("array")), JSONMember("items", item)])
  }

  private static func any(_ schemas: [JSONValue], _ word: KnobWord?) -> JSONMember {
    JSONMember("anyOf", .array(schemas + (word.map { [constant(.string($0.word))] } ?? [])))
  }
}
