// SPDX-License-Identifier: Apache-2.0

internal import Timekeeping

/// What an algorithm that goes by rates knows of the path. The cases share their memory. Apart from `AlgorithmState`, which is there twice, since a
/// reduction may be taken back.
enum RateModel: BitwiseCopyable {
  case none
  case bbr(BBR)
  case bbr3(BBR3)

  init(_ algorithm: CongestionAlgorithm) {
    switch algorithm {
    case .bbr: self = .bbr(BBR())
    case .bbr3: self = .bbr3(BBR3())
    case .none, .newReno, .cubic, .bic, .highSpeed, .scalable, .westwood, .vegas, .illinois, .hTCP, .dctcp:
      self = .none
    }
  }

  /// Octets a second; 0: nothing was sent yet.
  var pacingRate: Float {
    switch self {
    case .none: 0
    case .bbr(let model): model.pacingRate
    case .bbr3(let model): model.pacingRate
    }
  }

  /// Octets a second; 0: not known.
  var deliveryRate: Float {
    switch self {
    case .none: 0
    case .bbr(let model): model.rates.value
    case .bbr3(let model): model.largestRate
    }
  }

  var isProbingRoundTrip: Bool {
    switch self {
    case .none: false
    case .bbr(let model): model.mode == .probeRoundTrip
    case .bbr3(let model): model.state == .probeRoundTrip
    }
  }

  /// Returns the window.
  mutating func sampled(_ sample: RateSample, path: BBRPath, phase: CongestionPhase, now: Instant) -> Int {
    switch self {
    case .none: return path.window
    case .bbr(var model):
      defer { self = .bbr(model) }
      return model.sampled(sample, path: path, phase: phase, now: now)
    case .bbr3(var model):
      defer { self = .bbr3(model) }
      return model.sampled(sample, path: path, phase: phase, now: now)
    }
  }

  /// Returns the window.
  mutating func restarted(path: BBRPath, roundTrip: Interval, isApplicationLimited: Bool, now: Instant) -> Int {
    switch self {
    case .none: return path.window
    case .bbr(var model):
      defer { self = .bbr(model) }
      return model.restarted(path: path, roundTrip: roundTrip, isApplicationLimited: isApplicationLimited, now: now)
    case .bbr3(var model):
      defer { self = .bbr3(model) }
      return model.restarted(path: path, roundTrip: roundTrip, isApplicationLimited: isApplicationLimited, now: now)
    }
  }

  /// Something was taken for lost; a recovery or a timeout may follow from it.
  mutating func lost(_ loss: LossSample, path: BBRPath, now: Instant) {
    guard case .bbr3(var model) = self else { return }
    model.lost(loss, path: path, now: now)
    self = .bbr3(model)
  }

  /// The receiver reports a mark (ECE).
  mutating func marked(path: BBRPath, now: Instant) {
    guard case .bbr3(var model) = self else { return }
    model.marked(path: path, now: now)
    self = .bbr3(model)
  }

  /// A recovery is about to begin, or a timeout to take the window.
  mutating func save(window: UInt32) {
    switch self {
    case .none: break
    case .bbr(var model):
      model.save(window: window)
      self = .bbr(model)
    case .bbr3(var model):
      model.save(window: window)
      self = .bbr3(model)
    }
  }

  mutating func timedOut() {
    switch self {
    case .none: break
    case .bbr(var model):
      model.timedOut()
      self = .bbr(model)
    case .bbr3(var model):
      model.timedOut()
      self = .bbr3(model)
    }
  }

  /// A loss or timeout was none.
  mutating func undone() {
    switch self {
    case .none: break
    case .bbr(var model):
      model.undone()
      self = .bbr(model)
    case .bbr3(var model):
      model.undone()
      self = .bbr3(model)
    }
  }
}
