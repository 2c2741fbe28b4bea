// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

extension CongestionControl {
  /// Data were acknowledged cumulatively.
  ///
  /// - Parameters:
  ///   - bytes: how much. More than a window counts as a window, less than nothing as nothing.
  ///   - roundTrip: the smoothed round trip.
  ///   - sample: the round trip that this acknowledgment shows, if it does.
  ///   - beginsRound: it acknowledges all that was in flight when the round before began.
  ///   - isWindowLimited: `isLimiting` before this acknowledgment. If not, the window was not the reason why no more was
  ///     sent, and does not grow (RFC 7661; RFC 9438, section 5.8).
  ///   - isMarked: it reports a mark (ECE); `congestionExperienced` is to follow.
  public mutating func acknowledged(
    bytes: Int, roundTrip: Interval, sample: Interval? = nil, beginsRound: Bool = false, isWindowLimited: Bool,
    isMarked: Bool = false, now: Instant
  ) {
    guard bytes > 0, !isRateBased else { return }
    state.counted(bytes: min(bytes, Self.largestWindow), isMarked: isMarked, endsWindow: beginsRound)
    guard phase == .open || phase == .loss else { return }
    state.observed(sample: sample)
    if beginsRound { endRound(isWindowLimited: isWindowLimited) }
    if isInSlowStart, start.acknowledged(sample: sample, beginsRound: beginsRound) {
      threshold = bounded(threshold: Int(congestionWindow))
    }
    guard isWindowLimited else {
      pause()
      return
    }
    var rest = min(bytes, Int(congestionWindow))
    if isInSlowStart {
      let grown = SlowStart.grown(
        window: Int(congestionWindow), acknowledged: rest, threshold: Int(threshold), limit: slowStartLimit,
        divisor: start.pace == .cautious ? HyStart.growthDivisor : 1)
      congestionWindow = bounded(window: grown.window)
      rest = grown.rest
    }
    guard rest > 0 else { return }
    avoidCongestion(rest, roundTrip: roundTrip, now: now)
  }

  /// Data arrived at the receiver, as an acknowledgment says, cumulative or selective; to be told of each, in a recovery as well,
  /// before `acknowledged`.
  ///
  /// - Parameters:
  ///   - bytes: how much that was not known to have arrived before.
  ///   - roundTrip, sample: as for `acknowledged`.
  public mutating func delivered(bytes: Int, roundTrip: Interval, sample: Interval?, now: Instant) {
    guard bytes > 0 else { return }
    state.delivered(
      Delivery(
        bytes: min(bytes, Self.largestWindow), roundTrip: roundTrip, sample: sample, window: Int(congestionWindow),
        segmentSize: Int(size), isOpen: phase == .open, now: now))
  }

  /// A loss was found otherwise than by timeout; fast recovery begins. Once for each window of data: further losses until
  /// `recoveryEnded` are the same event and change nothing.
  ///
  /// `inFlight`: FlightSize of RFC 5681, what was sent and is not acknowledged cumulatively.
  public mutating func lossDetected(inFlight: Int, now: Instant) {
    guard phase == .open || phase == .reduced else { return }
    let isSameEvent = phase == .reduced
    phase = .recovery
    guard !isRateBased else { return saveWindow() }
    guard algorithm != .none, !isSameEvent else { return }
    remember()
    reduce(inFlight: inFlight)
  }

  /// All that was in flight when the loss was found, or the timeout or the mark came, is acknowledged.
  public mutating func recoveryEnded() {
    defer { phase = .open }
    guard phase == .recovery, canUndo, let pipe = measuredPipe else { return }
    // What the recovery has delivered counts as well: as long as the filter rises that is a good part of what the path carries.
    threshold = max(threshold, bounded(threshold: min(pipe, Int(undoWindow))))
    congestionWindow = bounded(window: max(Int(congestionWindow), Int(threshold)))
  }

  /// The retransmission timer expired. The first time in a row the threshold is set (RFC 5681, section 3.1, equation 4); the
  /// window is one segment then and each time after.
  public mutating func timedOut(inFlight: Int, now: Instant) {
    defer { phase = .loss }
    guard algorithm != .none else { return }
    guard !isRateBased else { return loseWindow() }
    switch phase {
    case .open:
      remember()
      reduce(inFlight: inFlight)
    case .recovery, .reduced:
      // The same window of data: it was reduced already, but not below what is in flight now.
      threshold = min(threshold, bounded(threshold: max(inFlight, 0) &* keepFactor / 1024))
    case .loss:
      break
    }
    start.end()
    if phase != .loss { state.timedOut(window: canUndo ? Int(undoWindow) : Int(congestionWindow)) }
    congestionWindow = bounded(window: 0)
    credit = 0
  }

  /// The receiver reports a mark (ECE, RFC 3168, section 6.1.2). Further ones until `recoveryEnded` are the same event, as are
  /// losses.
  public mutating func congestionExperienced(now: Instant) {
    guard phase == .open, algorithm != .none else { return }
    if isRateBased {
      saveWindow()
      model.marked(path: path, now: now)
    } else {
      reduce(inFlight: Int(congestionWindow), isMark: true)
    }
    undoWindow = 0
    phase = .reduced
  }

  /// The last loss or timeout was none: window, threshold and the algorithm's curve are as before (RFC 4015, section 3.2;
  /// RFC 9438, section 4.9), or the window is as it has become if that is more. Without one, nothing happens.
  public mutating func undo() {
    guard canUndo else { return }
    phase = .open
    congestionWindow = bounded(window: max(Int(undoWindow), Int(congestionWindow)))
    undoWindow = 0
    guard !isRateBased else { return model.undone() }
    threshold = bounded(threshold: Int(undoThreshold))
    state = undoState
    // Slow start goes on, if it was the first one.
    if undoStart != .over { start = HyStart() }
  }

  /// Nothing was in flight for such a time. The window stays for five minutes; then half of it goes for each five minutes, but
  /// not below the initial window of RFC 6928 (RFC 7661, section 4.4).
  public mutating func idle(for interval: Interval) {
    guard !isRateBased else { return }
    pause()
    state.restarted()
    let initial = Self.initialWindow(knobs: CongestionKnobs(), segmentSize: Int(size))
    var periods = min(max(interval.nanoseconds, 0) / Self.validFor.nanoseconds, 32)
    while periods > 0, Int(congestionWindow) > initial {
      periods -= 1
      threshold = max(threshold, bounded(threshold: Int(congestionWindow) * 3 / 4))
      congestionWindow = bounded(window: max(Int(congestionWindow) / 2, initial))
    }
  }

  /// Another sender had so much in flight and lost none of it: the path carries that, and who goes on in his place need not find
  /// out anew.
  public mutating func adopted(inFlight: Int) {
    guard phase == .open else { return }
    congestionWindow = bounded(window: max(inFlight, Int(congestionWindow)))
  }

  /// Another algorithm goes on with window and threshold as they are.
  public mutating func changed(algorithm: CongestionAlgorithm) {
    guard algorithm != state.algorithm else { return }
    state = AlgorithmState(algorithm)
    undoState = state
    model = RateModel(algorithm)
    credit = 0
  }

  /// Policy changed. Window and threshold stay, but for the maximum; the initial values are for connections that begin.
  public mutating func changed(knobs: CongestionKnobs) {
    changed(algorithm: knobs.algorithm)
    byteCountingLimit = knobs.byteCountingLimit
    keep = knobs.keepFactor
    additiveIncrease = knobs.additiveIncrease
    setMaximum(knobs.maximumWindow)
    congestionWindow = bounded(window: Int(congestionWindow))
    if !knobs.usesHyStart { start.end() }
  }

  /// The path takes segments of another size. The window stays what it is in bytes.
  public mutating func segmentSizeChanged(to segmentSize: Int) {
    size = UInt16(clamping: max(segmentSize, 1))
    setMaximum(maximumWindow)
    congestionWindow = bounded(window: Int(congestionWindow))
    threshold = bounded(threshold: Int(threshold))
    credit = 0
  }

  /// RFC 3465: L segments for an acknowledgment; one after a timeout, when an acknowledgment may be for what had arrived
  /// before (section 2.3).
  private var slowStartLimit: Int {
    if phase == .loss { return Int(size) }
    return byteCountingLimit == 0 ? Self.largestWindow : Int(byteCountingLimit) * Int(size)
  }

  private mutating func avoidCongestion(_ bytes: Int, roundTrip: Interval, now: Instant) {
    let acknowledgment = Acknowledgment(
      bytes: bytes, window: Int(congestionWindow), segmentSize: Int(size), keepFactor: keepFactor,
      additiveIncrease: Int(additiveIncrease), roundTrip: roundTrip)
    congestionWindow = bounded(window: state.grown(acknowledgment, credit: &credit, now: now))
  }

  /// All that was in flight when the round before began is acknowledged: some algorithms think once in a round.
  private mutating func endRound(isWindowLimited: Bool) {
    switch state {
    case .none, .newReno, .cubic, .bic, .highSpeed, .scalable, .westwood, .hTCP, .dctcp, .bbr, .bbr3:
      break
    case .illinois(var illinois):
      illinois.endRound(window: Int(congestionWindow), segmentSize: Int(size))
      state = .illinois(illinois)
    case .vegas(var vegas):
      let verdict = vegas.endRound(
        window: Int(congestionWindow), segmentSize: Int(size), isInSlowStart: isInSlowStart)
      state = .vegas(vegas)
      follow(verdict, isWindowLimited: isWindowLimited)
    }
  }

  private mutating func follow(_ verdict: Vegas.Verdict, isWindowLimited: Bool) {
    switch verdict {
    case .unknown:
      guard isWindowLimited, !isInSlowStart else { return }
      congestionWindow = bounded(window: Int(congestionWindow) + Int(size))
    case .step(let segments):
      guard isWindowLimited || segments < 0 else { return }
      congestionWindow = bounded(window: max(Int(congestionWindow) + segments * Int(size), 2 * Int(size)))
      if segments < 0 { threshold = min(threshold, bounded(threshold: Int(congestionWindow) - Int(size))) }
    case .tooFast(let target):
      congestionWindow = bounded(window: max(min(Int(congestionWindow), target), 2 * Int(size)))
      threshold = min(threshold, bounded(threshold: Int(congestionWindow) - Int(size)))
    }
  }

  /// What remains after a loss, octets; nil: it is not the path that says.
  private var measuredPipe: Int? {
    guard case .westwood(let westwood) = state, keep == 0 else { return nil }
    return westwood.pipe
  }

  private mutating func pause() { state.paused() }

  private mutating func remember() {
    undoWindow = congestionWindow
    undoThreshold = threshold
    undoState = state
    undoStart = start.pace
  }

  /// RFC 5681, equation 4, with another factor if need be. What limited transmit added is not counted: it lies above the
  /// window.
  ///
  /// - Parameter isMark: it was a mark, and nothing is lost.
  private mutating func reduce(inFlight: Int, isMark: Bool = false) {
    // What remains may depend on what this loss has shown.
    state.reduced(window: Int(congestionWindow), segmentSize: Int(size), keepFactor: keepFactor)
    start.end()
    if let pipe = measuredPipe {
      threshold = bounded(threshold: pipe)
    } else {
      let factor = isMark ? state.markKeepFactor ?? keepFactor : keepFactor
      threshold = bounded(threshold: min(max(inFlight, 0), Int(congestionWindow)) * factor / 1024)
    }
    congestionWindow = min(congestionWindow, threshold)
    credit = 0
  }
}
