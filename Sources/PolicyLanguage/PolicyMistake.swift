// SPDX-License-Identifier: Apache-2.0

/// What is wrong with a policy, or likely to be: where, and how to mend it.
public struct PolicyMistake: Error, Equatable, Sendable, CustomStringConvertible {
  /// More are not told.
  public static let most = 100

  /// Nil: it is not in a file, but in what a VM or an administrator says besides.
  public let place: PolicyPlace?
  /// It can be used nevertheless.
  public let isWarning: Bool
  /// Printable ASCII on one line.
  public let sentence: String

  init(_ place: PolicyPlace?, _ sentence: String, isWarning: Bool = false) {
    self.place = place
    self.isWarning = isWarning
    self.sentence = String(
      decoding: sentence.utf8.map { (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
  }

  /// `FILE:LINE:COLUMN: error: sentence`.
  public var description: String {
    "\(place.map { "\($0): " } ?? "")\(isWarning ? "warning" : "error"): \(sentence)"
  }
}
