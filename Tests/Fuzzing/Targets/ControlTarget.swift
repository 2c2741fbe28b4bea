// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import Memory

/// Input: what comes over vtcpd's control socket (docs/host-service.md): a line, and behind its newline a body.
///
/// Holds: line and body are read to an end, whatever they are; what was read is read again from what is written of it; JSON is written on one line;
/// mistakes are told in lines of printable characters, and not too many of them.
enum ControlTarget {
  private static let mostMistakes = 100

  static func run(_ input: consuming InputReader) throws(Finding) {
    var octets: [UInt8] = []
    while !input.isAtEnd { octets.append(input.byte()) }
    let parts = octets.split(separator: 0x0a, maxSplits: 1, omittingEmptySubsequences: false)
    let line = Array(parts[0].prefix(ControlLimits.line))
    try checkRequest(line)
    try checkAnswer(line)
    let body = parts.count == 2 ? Array(parts[1]) : []
    try checkJSON(body)
    try checkBodies(body)
  }

  private static func checkRequest(_ octets: [UInt8]) throws(Finding) {
    guard let line = try? ControlRequestLine(parsing: octets) else { return }
    let again = try? ControlRequestLine(parsing: line.description.utf8)
    try Finding.require(again == line, "\(line) is \(again.map { "\($0)" } ?? "nothing") when it is read again")
    try Finding.require((0...ControlLimits.body).contains(line.bodyLength), "a body of \(line.bodyLength)")
    let request: ServiceRequest
    do throws(ServiceError) { request = try ServiceRequest(line) } catch { return try check(error) }
    // Who may only look changes nothing.
    let permits = AccessRule(administrators: []).permits(request, user: 1)
    try Finding.require(permits != request.changes, "\(line) is permitted")
  }

  private static func checkAnswer(_ octets: [UInt8]) throws(Finding) {
    guard let line = try? ControlAnswerLine(parsing: octets) else { return }
    let again = try? ControlAnswerLine(parsing: line.description.utf8)
    try Finding.require(again == line, "\(line) is another when it is read again")
  }

  private static func checkJSON(_ octets: [UInt8]) throws(Finding) {
    guard let value = try? JSONValue(parsing: octets) else { return }
    let text = value.text
    try Finding.require(text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }, "JSON on more than a line: \(text)")
    try Finding.require((try? JSONValue(parsing: text.utf8)) == value, "\(text) is another when it is read again")
  }

  private static func checkBodies(_ octets: [UInt8]) throws(Finding) {
    if let settings = try read(try NICSettings(reading: octets, file: "request")) {
      let text = settings.json.text
      let again = try read(try NICSettings(reading: Array(text.utf8), file: "stored", isStored: true))
      try Finding.require(again == settings, "a NIC is another when it is read again: \(text)")
    }
    _ = try read(try ExplainRequest(reading: octets))
    _ = try read(try OverrideRequest(reading: octets))
    _ = try read(try ServiceConfiguration(reading: octets, file: "vtcpd.yaml"))
  }

  /// Nil: it throws, and what it throws can be told.
  private static func read<Value>(_ value: @autoclosure () throws(ServiceError) -> Value) throws(Finding) -> Value? {
    let error: ServiceError
    do throws(ServiceError) { return try value() } catch let failure { error = failure }
    try check(error)
    return nil
  }

  private static func check(_ error: ServiceError) throws(Finding) {
    let mistakes = error.failure.mistakes
    try Finding.require(mistakes.count <= mostMistakes, "\(mistakes.count) mistakes")
    for mistake in mistakes {
      try Finding.require(
        mistake.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }, "\(mistake.debugDescription)")
    }
  }
}
