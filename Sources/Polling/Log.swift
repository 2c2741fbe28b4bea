// SPDX-License-Identifier: Apache-2.0

import CLinux

/// Lines on standard error for whoever runs the program, one write each.
///
/// Not for the packet path: what happens per packet is counted, not told.
public struct Log: Sendable {
  /// How much is told. Each level includes those before it.
  public enum Level: Int, CaseIterable, Sendable {
    case error
    case warning
    case info
    case debug

    /// The level of that name.
    public init?(named name: String) {
      guard let level = Self.allCases.first(where: { "\($0)" == name }) else { return nil }
      self = level
    }
  }

  /// Nil: nothing is told.
  public let level: Level?
  private let prefix: String
  private let limit = LineLimit()

  /// `prefix` names the program, or the program and its NIC.
  public init(level: Level?, prefix: String) {
    self.level = level
    self.prefix = prefix
  }

  // What peers can bring about is limited: errors, warnings and notices.
  public func error(_ text: @autoclosure () -> String) { writeLimited(.error, text()) }
  public func warning(_ text: @autoclosure () -> String) { writeLimited(.warning, text()) }
  /// As `info`, of something that may happen as often as a peer likes.
  public func notice(_ text: @autoclosure () -> String) { writeLimited(.info, text()) }
  public func info(_ text: @autoclosure () -> String) { write(.info, text()) }
  public func debug(_ text: @autoclosure () -> String) { write(.debug, text()) }

  private func writeLimited(_ level: Level, _ text: @autoclosure () -> String) {
    guard tells(level), let leftOut = limit.admit(now: MonotonicClock.now()) else { return }
    write(level, leftOut == 0 ? text() : text() + " (\(leftOut) lines before this one were left out)")
  }

  private func write(_ level: Level, _ text: @autoclosure () -> String) {
    guard tells(level) else { return }
    let line = "\(prefix): \(level == .info ? "" : "\(level): ")\(text())\n"
    vtcp_write_error(line, line.utf8.count)
  }

  private func tells(_ level: Level) -> Bool { level.rawValue <= self.level?.rawValue ?? -1 }

  /// Text for standard output: what the user asked for.
  public static func output(_ text: String) { vtcp_write_output(text, text.utf8.count) }
}
