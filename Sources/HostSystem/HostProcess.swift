// SPDX-License-Identifier: Apache-2.0

import CHost
public import Polling

/// Another process, held so that its number can't become another's: a child of ours, or one that was there before us.
public final class HostProcess {
  /// How a process ended.
  public enum End: Equatable, Sendable, CustomStringConvertible {
    case status(Int32)
    case signal(Int32)
    /// It was nobody's child of ours, so nobody told us.
    case unknown

    public var description: String {
      switch self {
      case .status(let number): "ended with status \(number)"
      case .signal(let number): "was ended by signal \(number)"
      case .unknown: "has ended"
      }
    }
  }

  public static let kill: Int32 = 9
  public static let user2: Int32 = 12
  public static let terminate: Int32 = 15

  public let identifier: Int32
  public let isChild: Bool
  private let descriptor: OwnedDescriptor

  /// Readable once it has ended.
  public var rawValue: Int32 { descriptor.rawValue }

  /// Starts a program.
  public init(starting program: ProgramStart) throws(SystemError) {
    identifier = try SystemCalls.start(program)
    isChild = true
    // Not reaped yet, so the number is its own, even if it has ended.
    descriptor = OwnedDescriptor(try SystemCalls.check("watch process \(identifier)", vtcp_process_open(identifier)))
  }

  /// One that runs; ESRCH if it does not.
  public init(existing identifier: Int32) throws(SystemError) {
    self.identifier = identifier
    isChild = false
    descriptor = OwnedDescriptor(try SystemCalls.check("watch process \(identifier)", vtcp_process_open(identifier)))
  }

  /// Nothing happens if it has ended.
  public func send(signal: Int32) {
    _ = vtcp_process_signal(descriptor.rawValue, signal)
  }

  /// How it ended, once it has (when the descriptor is readable); a child leaves the process table by that.
  public func end() throws(SystemError) -> End? {
    guard isChild else { return .unknown }
    guard let status = try SystemCalls.reap(descriptor.rawValue) else { return nil }
    return status < 256 ? .status(status) : .signal(status - 256)
  }
}
