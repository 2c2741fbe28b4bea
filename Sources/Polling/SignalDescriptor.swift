// SPDX-License-Identifier: Apache-2.0

import CLinux

/// SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2 as a readable descriptor (`signalfd`).
///
/// Made in the first thread before others are started, so that they inherit the blocked signals. SIGPIPE is ignored
/// from then on: a peer that went away is an error of a write, not the end of the process.
public final class SignalDescriptor {
  /// The numbers of the signals, the same on every architecture of Linux that this runs on.
  public static let hangup: Int32 = 1
  public static let interrupt: Int32 = 2
  public static let user1: Int32 = 10
  public static let user2: Int32 = 12
  public static let terminate: Int32 = 15

  private let descriptor: OwnedDescriptor

  public init() throws(SystemError) {
    descriptor = try OwnedDescriptor("signalfd", vtcp_signalfd_create())
  }

  public var rawValue: Int32 { descriptor.rawValue }

  /// The next signal that came; nil when there is none.
  public func next() -> Int32? {
    let number = vtcp_signalfd_next(descriptor.rawValue)
    return number > 0 ? number : nil
  }
}
