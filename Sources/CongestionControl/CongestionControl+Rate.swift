// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// The algorithms that go by the rate of delivery (`BBR`, `BBR3`). They have events of their own; of the others they take those that say what is going
/// on, and window and threshold are not reduced by them.
extension CongestionControl {
  /// Whether the algorithm wants rates measured (`sampled`), says itself how fast to send (`pacingRate`) and what may leave in a recovery: `window`,
  /// rather than `ProportionalRateReduction`.
  public var isRateBased: Bool {
    switch state {
    case .bbr, .bbr3: true
    default: false
    }
  }

  /// Bytes per second; nil: the algorithm does not say, or nothing was sent yet.
  public var pacingRate: Int64? {
    guard isRateBased else { return nil }
    let rate = model.pacingRate
    guard rate > 0 else { return nil }
    return rate < 0x1p40 ? max(Int64(rate), 1) : Pacer.unlimited
  }

  /// Little is sent so as to see how long the path is: what is measured meanwhile is not what it carries.
  public var isProbingRoundTrip: Bool { isRateBased && model.isProbingRoundTrip }

  /// The rate that the path is thought to carry, bytes per second; 0: not known, or the algorithm does not ask.
  public var deliveryRate: Int64 {
    guard isRateBased else { return 0 }
    let rate = model.deliveryRate
    return rate < 0x1p40 ? Int64(rate) : Pacer.unlimited
  }

  /// An acknowledgment came; to be told of each, after the events that follow from it.
  public mutating func sampled(_ sample: RateSample, now: Instant) {
    guard isRateBased else { return }
    congestionWindow = bounded(window: model.sampled(sample, path: path, phase: phase, now: now))
  }

  /// Something was taken for lost; to be told of each run of octets, before the recovery or timeout that follows from it.
  public mutating func lost(_ loss: LossSample, now: Instant) {
    guard isRateBased else { return }
    model.lost(loss, path: path, now: now)
  }

  /// Something is sent with nothing in flight.
  ///
  /// - Parameters:
  ///   - roundTrip: the least that was measured so far; zero: none was.
  ///   - isApplicationLimited: that nothing was in flight was the sender's doing.
  public mutating func restarted(roundTrip: Interval, isApplicationLimited: Bool, now: Instant) {
    guard isRateBased else { return }
    let window = model.restarted(
      path: path, roundTrip: roundTrip, isApplicationLimited: isApplicationLimited, now: now)
    congestionWindow = bounded(window: window)
  }

  /// A loss is no reason to have less in flight for longer than the recovery takes.
  mutating func saveWindow() {
    rememberWindow()
    model.save(window: congestionWindow)
  }

  mutating func loseWindow() {
    if phase == .open || phase == .reduced { rememberWindow() }
    model.save(window: congestionWindow)
    model.timedOut()
    congestionWindow = bounded(window: 0)
  }

  /// Another algorithm may have taken over when it is to be undone.
  private mutating func rememberWindow() {
    undoWindow = congestionWindow
    undoThreshold = threshold
  }

  var path: BBRPath {
    BBRPath(
      window: Int(congestionWindow), segmentSize: Int(size),
      initialWindow: Self.initialWindow(knobs: CongestionKnobs(), segmentSize: Int(size)))
  }
}
