// SPDX-License-Identifier: Apache-2.0

public import ControlProtocol

/// What `doctor` has found of one thing that NICs need.
public struct DoctorFinding: Equatable, Sendable {
  public enum Verdict: String, Sendable {
    case good
    /// It works without, or less well.
    case note
    case bad
  }

  public let what: String
  public let verdict: Verdict
  /// What was seen.
  public let seen: String
  /// How to mend it; nothing: there is nothing to mend.
  public let mend: String

  public init(_ what: String, _ verdict: Verdict, _ seen: String, mend: String = "") {
    self.what = what
    self.verdict = verdict
    self.seen = seen
    self.mend = mend
  }

  public var json: JSONValue {
    .object([
      .init("check", .string(what)), .init("verdict", .string(verdict.rawValue)), .init("seen", .string(seen)),
      .init("mend", mend.isEmpty ? .null : .string(mend)),
    ])
  }

  /// A line for each, and one below for how to mend it.
  public static func lines(_ findings: [DoctorFinding]) -> [String] {
    let rows = findings.map { [$0.verdict.rawValue, $0.what, $0.seen] }
    return zip(findings, TextTable.lines(rows)).flatMap { finding, line in
      finding.mend.isEmpty ? [line] : [line, "      mend: \(finding.mend)"]
    }
  }
}
