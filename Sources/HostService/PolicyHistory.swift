// SPDX-License-Identifier: Apache-2.0

/// Which policies were in force, in order; the oldest are forgotten.
public struct PolicyHistory: Equatable, Sendable {
  /// How many are kept.
  public static let limit = 100

  /// By number, ascending.
  public private(set) var revisions: [PolicyRevision]

  /// - Parameter revisions: in any order; of two with a number one counts.
  public init(_ revisions: [PolicyRevision] = []) {
    let byNumber = Dictionary(revisions.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first })
    self.revisions = Array(byNumber.values.sorted { $0.number < $1.number }.suffix(Self.limit))
  }

  public var last: PolicyRevision? { revisions.last }

  public subscript(number: Int) -> PolicyRevision? { revisions.first { $0.number == number } }

  /// Adds what comes into force. Nil: it is what is in force already. `forgotten`: what there is no room for any more.
  public mutating func add(
    digest: String, user: UInt32?, time: Int64, reason: String
  ) -> (added: PolicyRevision, forgotten: [PolicyRevision])? {
    guard last?.digest != digest else { return nil }
    let (next, overflow) = (last?.number ?? 0).addingReportingOverflow(1)
    let revision = PolicyRevision(
      number: overflow ? .max : next, digest: digest, user: user, time: time, reason: reason)
    revisions.append(revision)
    let forgotten = Array(revisions.dropLast(Self.limit))
    revisions = Array(revisions.suffix(Self.limit))
    return (revision, forgotten)
  }

  /// What the files of a revision are called, without their endings.
  public static func fileName(_ number: Int) -> String {
    let digits = "\(number)"
    return String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
  }
}
