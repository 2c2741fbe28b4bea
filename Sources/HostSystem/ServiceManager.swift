// SPDX-License-Identifier: Apache-2.0

import CHost
import Polling
import Timekeeping

/// Who started us as a service, and is told what we do (sd_notify(3)). Without one nothing is said.
public struct ServiceManager {
  private let path: String?

  /// By $NOTIFY_SOCKET, which programs that we start are not to inherit.
  public init() {
    path = Environment.take("NOTIFY_SOCKET")
  }

  public var isThere: Bool { path != nil }

  public func ready(status: String) { send("READY=1\nSTATUS=\(status)\n") }

  /// Type=notify-reload wants the time at which it began.
  public func reloading() { send("RELOADING=1\nMONOTONIC_USEC=\(MonotonicClock.now().nanoseconds / 1000)\n") }

  public func stopping() { send("STOPPING=1\n") }

  public func status(_ text: String) { send("STATUS=\(text)\n") }

  /// Nobody is the worse for what it does not get.
  private func send(_ text: String) {
    guard let path else { return }
    try? SystemCalls.notify(path, text)
  }
}
