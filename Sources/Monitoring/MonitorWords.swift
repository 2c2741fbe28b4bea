// SPDX-License-Identifier: Apache-2.0

/// The words for what reports say by number. Whoever writes reports has the same order (a test compares).
public enum MonitorWords {
  public static let modes = ["off", "snoop", "early", "limit"]
  public static let phases = ["syn-seen", "syn-ack-seen", "established"]
  public static let states = ["pass-through", "holding", "accelerated", "draining", "limiting"]
  /// Why a side drains, or did last.
  public static let reasons = [
    "none", "buffer-full", "zero-window", "out-of-order", "urgent-data", "unknown-options", "fragments",
    "silent-receiver", "policy", "not-worthwhile",
  ]
  /// Why a connection is never touched.
  public static let passReasons = [
    "none", "authenticated", "multipath", "accurate-ecn", "malformed", "ip-options", "policy",
  ]
  public static let congestionPhases = ["open", "recovery", "loss", "reduced"]
  public static let legs = ["guest", "network"]

  /// The word at `place`, or one that says that there is none.
  static func word(_ place: UInt8, of words: [String]) -> String {
    Int(place) < words.count ? words[Int(place)] : "unknown-\(place)"
  }
}
