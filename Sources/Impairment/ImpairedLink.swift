// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// One direction of an impaired link: a queue before a rate, a delay, and what happens by chance on the way.
///
/// ## Theory of Operation
///
/// Pure: it is told of frames and the time, and says when each leaves; whoever drives it has the frames, and changes them
/// (`FrameChange`). So the same code is behind real interfaces (`vtcp-relay`) and in virtual time.
///
/// A frame is lost by chance when it arrives, and takes no room. The others wait for the rate, behind at most `queue` octets; take
/// their delay; and wait while the receiver stands still. They leave in the order in which they came, but for those that are held back.
/// What happens by chance depends on the seed and on how many frames came before, not on time; what overflows, and what is marked since
/// many wait, depends on when frames come.
public struct ImpairedLink: Sendable {
  public let settings: ImpairmentSettings
  private var fates: FrameFates
  private let start: Instant
  /// When the rate has carried all that came.
  private var free: Instant
  /// When the last frame leaves that keeps its place.
  private var last: Instant
  /// The most octets that waited.
  public private(set) var longestQueue = 0

  /// - Parameter now: when the first period of stalls begins.
  public init(_ settings: ImpairmentSettings, seed: UInt64, now: Instant) {
    self.settings = settings
    fates = FrameFates(settings, seed: seed)
    start = now
    free = now
    last = now
  }

  /// A frame has come to the link's head.
  ///
  /// - Parameters:
  ///   - length: octets.
  ///   - now: not earlier than for the frame before.
  public mutating func arrive(length: Int, now: Instant) -> Passage {
    let fate = fates.next(length: length)
    guard !fate.isLost else { return .lost }
    guard !fate.isLostInBurst else { return .lostInBurst }
    let waiting = waiting(now)
    guard settings.rate == nil || waiting + length <= settings.queue else { return .overflowed }
    longestQueue = max(longestQueue, waiting)
    free = carried(length, now)
    var leaves = free + settings.delay
    leaves = leaves + Interval(nanoseconds: Int64(Double(settings.jitter.nanoseconds) * fate.jitter))
    leaves = fate.isReordered ? leaves + settings.reorderBy : max(leaves, last)
    leaves = max(leaves, free)
    if let stall = settings.stall { leaves = stall.running(from: leaves, start: start) }
    if !fate.isReordered { last = leaves }
    return .leaves(
      at: leaves, isDuplicated: fate.isDuplicated, isReordered: fate.isReordered,
      isMarked: fate.isMarked || waiting >= settings.markAbove ?? .max, corruptedBit: fate.corruptedBit)
  }

  /// Octets at the link's head that the rate has not yet carried.
  public func waiting(_ now: Instant) -> Int {
    guard let rate = settings.rate, free > now else { return 0 }
    return Int(Double((free - now).nanoseconds) * Double(rate) / 1e9)
  }

  private func carried(_ length: Int, _ now: Instant) -> Instant {
    guard let rate = settings.rate else { return now }
    return max(free, now) + Interval(nanoseconds: Int64(Double(length) / Double(rate) * 1e9))
  }
}
