// SPDX-License-Identifier: Apache-2.0

/// What became of a frame that came to the module, for whoever looks on.
public struct FrameStory: BitwiseCopyable, Equatable, Sendable {
  /// What happened. Several may have.
  public struct Events: OptionSet, BitwiseCopyable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Its connection is followed from here on.
    public static let followed = Events(rawValue: 1 << 0)
    /// It is TCP of a connection that is not followed: the first SYN was not seen, there was no room, or policy leaves it alone.
    public static let notFollowed = Events(rawValue: 1 << 1)
    /// Its connection passes byte for byte (`passReason`).
    public static let untouched = Events(rawValue: 1 << 2)
    /// Its connection was forgotten: it is over.
    public static let forgotten = Events(rawValue: 1 << 3)
    /// A copy of its data is kept (`heldOctets`).
    public static let held = Events(rawValue: 1 << 4)
    /// The same of data that came ahead of their turn.
    public static let heldAhead = Events(rawValue: 1 << 5)
    /// Data are acknowledged before their receiver has them (`earlyOctets`).
    public static let acknowledgedEarly = Events(rawValue: 1 << 6)
    /// Nothing in it is new.
    public static let repeated = Events(rawValue: 1 << 7)
    /// It was dropped for want of room: its sender has no acknowledgment for it.
    public static let dropped = Events(rawValue: 1 << 8)
    /// Its numbers can't be right.
    public static let implausible = Events(rawValue: 1 << 9)
    public static let badChecksum = Events(rawValue: 1 << 10)
    /// What it acknowledges its receiver knows already.
    public static let keptBack = Events(rawValue: 1 << 11)
    /// Early acknowledgment of what the guest, or the network, sends has begun, or has ended (`reason`).
    public static let guestBegan = Events(rawValue: 1 << 12)
    public static let networkBegan = Events(rawValue: 1 << 13)
    public static let guestEnded = Events(rawValue: 1 << 19)
    public static let networkEnded = Events(rawValue: 1 << 20)
    /// What is other in the header that goes on.
    public static let sequenceRewritten = Events(rawValue: 1 << 14)
    public static let acknowledgmentRewritten = Events(rawValue: 1 << 15)
    public static let windowRewritten = Events(rawValue: 1 << 16)
    public static let flagsRewritten = Events(rawValue: 1 << 17)
    public static let optionsRewritten = Events(rawValue: 1 << 18)

    public static let rewritten: Events = [
      .sequenceRewritten, .acknowledgmentRewritten, .windowRewritten, .flagsRewritten, .optionsRewritten,
    ]
  }

  public var verdict: Verdict
  public var events: Events = []
  public var earlyOctets = 0
  public var heldOctets = 0
  /// By how much the acknowledgment number that goes on is higher than the one that came.
  public var acknowledgmentChange = 0
  /// Why early acknowledgment has ended.
  public var reason = DrainReason.none
  public var passReason = PassReason.none

  init(_ verdict: Verdict) { self.verdict = verdict }
}
