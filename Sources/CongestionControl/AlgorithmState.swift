// SPDX-License-Identifier: Apache-2.0

internal import Timekeeping

/// The algorithm and what it alone remembers. The cases share their memory.
enum AlgorithmState: BitwiseCopyable {
  case none
  case newReno
  case cubic(Cubic)
  case bic(BinaryIncrease)
  case highSpeed
  case scalable
  case westwood(Westwood)
  case vegas(Vegas)
  case illinois(Illinois)
  case hTCP(HTCP)
  case dctcp(DCTCP)
  /// What they remember is kept once: `CongestionControl.model`.
  case bbr
  case bbr3

  init(_ algorithm: CongestionAlgorithm) {
    switch algorithm {
    case .none: self = .none
    case .newReno: self = .newReno
    case .cubic: self = .cubic(Cubic())
    case .bic: self = .bic(BinaryIncrease())
    case .highSpeed: self = .highSpeed
    case .scalable: self = .scalable
    case .westwood: self = .westwood(Westwood())
    case .vegas: self = .vegas(Vegas())
    case .illinois: self = .illinois(Illinois())
    case .hTCP: self = .hTCP(HTCP())
    case .dctcp: self = .dctcp(DCTCP())
    case .bbr: self = .bbr
    case .bbr3: self = .bbr3
    }
  }

  var algorithm: CongestionAlgorithm {
    switch self {
    case .none: .none
    case .newReno: .newReno
    case .cubic: .cubic
    case .bic: .bic
    case .highSpeed: .highSpeed
    case .scalable: .scalable
    case .westwood: .westwood
    case .vegas: .vegas
    case .illinois: .illinois
    case .hTCP: .hTCP
    case .dctcp: .dctcp
    case .bbr: .bbr
    case .bbr3: .bbr3
    }
  }

  /// What of the window remains after a loss, in 1/1024.
  func keepFactor(window: Int, segmentSize: Int) -> UInt16 {
    switch self {
    // RFC 5681, equation 4; of Vegas and Westwood+ too, as long as they know no better; of DCTCP for losses (RFC 8257, section 3.5).
    case .none, .newReno, .westwood, .vegas, .dctcp: 512
    case .bbr, .bbr3: 1023
    // RFC 9438, section 4.6.
    case .cubic: 717
    case .bic: BinaryIncrease.keepFactor(window: window, segmentSize: segmentSize)
    case .highSpeed: HighSpeed.keepFactor(window: window, segmentSize: segmentSize)
    case .scalable: 896
    case .illinois(let illinois): illinois.keepFactor
    case .hTCP(let hTCP): hTCP.keepFactor
    }
  }

  /// The window after an acknowledgment in congestion avoidance.
  mutating func grown(_ acknowledgment: Acknowledgment, credit: inout UInt32, now: Instant) -> Int {
    switch self {
    // Vegas: once in a round, not here. BBR: by what is delivered, whatever is acknowledged.
    case .none, .vegas, .bbr, .bbr3: return acknowledgment.window
    case .newReno, .westwood, .dctcp: return NewReno.grown(acknowledgment, credit: &credit)
    case .highSpeed: return HighSpeed.grown(acknowledgment, credit: &credit)
    case .scalable: return Scalable.grown(acknowledgment, credit: &credit)
    case .cubic(var cubic):
      defer { self = .cubic(cubic) }
      return cubic.grown(acknowledgment, now: now)
    case .bic(let bic): return bic.grown(acknowledgment, credit: &credit)
    case .illinois(let illinois): return illinois.grown(acknowledgment, credit: &credit)
    case .hTCP(let hTCP): return hTCP.grown(acknowledgment, credit: &credit, now: now)
    }
  }

  /// Something was acknowledged, whatever the window does for it.
  mutating func observed(sample: Interval?) {
    switch self {
    case .none, .newReno, .cubic, .bic, .highSpeed, .scalable, .westwood, .hTCP, .dctcp, .bbr, .bbr3: break
    case .vegas(var vegas):
      vegas.observed(sample: sample)
      self = .vegas(vegas)
    case .illinois(var illinois):
      illinois.observed(sample: sample)
      self = .illinois(illinois)
    }
  }

  /// Something arrived, whatever is done about a loss at the time.
  mutating func delivered(_ delivery: Delivery) {
    switch self {
    case .none, .newReno, .cubic, .bic, .highSpeed, .scalable, .vegas, .illinois, .dctcp, .bbr, .bbr3: break
    case .westwood(var westwood):
      westwood.delivered(delivery)
      self = .westwood(westwood)
    case .hTCP(var hTCP):
      hTCP.delivered(delivery)
      self = .hTCP(hTCP)
    }
  }

  /// The window is about to be reduced because of congestion.
  mutating func reduced(window: Int, segmentSize: Int, keepFactor: Int) {
    switch self {
    case .none, .newReno, .highSpeed, .scalable, .westwood, .illinois, .dctcp, .bbr, .bbr3: break
    case .cubic(var cubic):
      cubic.reduced(window: window, segmentSize: segmentSize, keepFactor: keepFactor)
      self = .cubic(cubic)
    case .bic(var bic):
      bic.reduced(window: window, segmentSize: segmentSize, keepFactor: keepFactor)
      self = .bic(bic)
    case .hTCP(var hTCP):
      hTCP.reduced()
      self = .hTCP(hTCP)
    case .vegas(var vegas):
      vegas.restarted()
      self = .vegas(vegas)
    }
  }

  /// A timeout, the first in a row, at such a window.
  mutating func timedOut(window: Int) {
    switch self {
    case .none, .newReno, .bic, .highSpeed, .scalable, .westwood, .vegas, .hTCP, .dctcp, .bbr, .bbr3: break
    case .cubic(var cubic):
      cubic.timedOut(window: window)
      self = .cubic(cubic)
    case .illinois(var illinois):
      illinois.timedOut()
      self = .illinois(illinois)
    }
  }

  /// Something was acknowledged, whatever is done about a loss or a mark at the time.
  mutating func counted(bytes: Int, isMarked: Bool, endsWindow: Bool) {
    guard case .dctcp(var dctcp) = self else { return }
    dctcp.counted(bytes: bytes, isMarked: isMarked, endsWindow: endsWindow)
    self = .dctcp(dctcp)
  }

  /// What of the window remains after a mark, in 1/1024; nil: as after a loss.
  var markKeepFactor: Int? {
    guard case .dctcp(let dctcp) = self else { return nil }
    return dctcp.keepFactor
  }

  /// The sender had nothing to send: time that passes does not count.
  mutating func paused() {
    guard case .cubic(var cubic) = self else { return }
    cubic.paused()
    self = .cubic(cubic)
  }

  /// Nothing was in flight for a while.
  mutating func restarted() {
    guard case .vegas(var vegas) = self else { return }
    vegas.restarted()
    self = .vegas(vegas)
  }
}
