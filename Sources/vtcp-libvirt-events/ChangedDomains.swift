// SPDX-License-Identifier: Apache-2.0

import Timekeeping

/// Running domains of which vtcpd has to be told, in the order in which they changed, and when to try next.
struct ChangedDomains {
  /// More than a host runs. Beyond it all running domains are listed again.
  static let most = 10_000
  private static let firstPause = Interval.milliseconds(200)
  private static let longestPause = Interval.seconds(10)

  private var waiting: [String] = []
  /// The same, to find one.
  private var known: Set<String> = []
  private var pause = Self.firstPause
  private var notBefore: Instant?
  /// More changed than are kept.
  private(set) var hasLost = false

  var isEmpty: Bool { waiting.isEmpty }

  /// - Parameter uuid: the domain's.
  mutating func note(_ uuid: String) {
    guard !known.contains(uuid) else { return }
    guard waiting.count < Self.most else {
      hasLost = true
      return
    }
    waiting.append(uuid)
    known.insert(uuid)
  }

  mutating func forget() {
    waiting.removeAll()
    known.removeAll()
    hasLost = false
  }

  /// When the next one may be told; nil: there is none.
  var due: Instant? { waiting.isEmpty ? nil : notBefore ?? Instant(nanoseconds: 0) }

  /// The next one, if it may be told now.
  func next(now: Instant) -> String? {
    guard let due, due <= now else { return nil }
    return waiting.first
  }

  /// It was told, or there is nothing to tell of it.
  mutating func done(_ uuid: String) {
    if known.remove(uuid) != nil { waiting.removeAll { $0 == uuid } }
    notBefore = nil
    pause = Self.firstPause
  }

  /// Nobody listens: all wait, longer each time.
  mutating func postpone(now: Instant) {
    notBefore = now + pause
    pause = min(Interval(nanoseconds: pause.nanoseconds &* 2), Self.longestPause)
  }
}
