// SPDX-License-Identifier: Apache-2.0

public import Wire

/// What is changed in a connection's headers because a rule says so, in any mode (R51).
public struct HeaderOverrides: BitwiseCopyable, Equatable, Sendable {
  /// Octets that the Maximum Segment Size option of either SYN says at most. 0: as it is. Without one it is 536, or 1220 (RFC 9293, section
  /// 3.7.1), but see `addedOptions`.
  public var maximumSegmentSize: UInt16 = 0
  /// Octets beyond what is acknowledged that a window shows at most, either way. 0: as it is.
  public var windowClamp: UInt32 = 0
  public var ecn = ECNOverride.keep
  /// Options that are taken out of SYNs: some of `strippable`.
  public var strippedOptions: TCPOptionKinds = []
  /// Options that either SYN gets if it does not have them: some of `addable`.
  public var addedOptions: TCPOptionKinds = []

  /// Options that are offered by one end for both, or are nobody's.
  public static let strippable: [(name: String, kinds: TCPOptionKinds)] = [
    ("timestamps", .timestamps), ("windowScale", .windowScale), ("sackPermitted", .sackPermitted),
    ("fastOpen", .fastOpen), ("unknown", .unknown),
  ]

  /// Options that say something of one end, or of the way to it, that is known without that end.
  public static let addable: [(name: String, kinds: TCPOptionKinds)] = [("maximumSegmentSize", .maximumSegmentSize)]

  public init() {}

  public var isEmpty: Bool { self == HeaderOverrides() }

  /// Nothing of it is for a connection whose mode is `off`.
  public var isEmptyWhenOff: Bool {
    var rest = self
    if rest.ecn == .offer { rest.ecn = .keep }
    return rest.isEmpty
  }
}
