// SPDX-License-Identifier: Apache-2.0

public import CongestionControl
import Timekeeping

/// What a sending kernel has met on one connection: acknowledgments, losses and when, and its window after each. `vtcpbed.oracle` records it.
///
/// A text. Lines that begin with a word:
///
///     algorithm NAME            as Linux names it
///     segment OCTETS            of data in a segment
///     window SEGMENTS           at the beginning
///     threshold SEGMENTS        of slow start, at the beginning; left out: there is none
///     loss TIME FLIGHT WINDOW   and so on: `RecordedEvent`; WINDOW may be left out
///     timeout TIME FLIGHT
///     mark TIME WINDOW
///     ended DELIVERED
///     # a remark
///
/// The others are acknowledgments: TIME OCTETS SAMPLE FLIGHT WINDOW, and what is not always there: a number of octets, those that were not known to
/// have arrived before, if they are not OCTETS; `marked`, if it reports a mark. Times are in microseconds, TIME since the line before; `=` is what the
/// acknowledgment before had there, a SAMPLE of `-` none.
public struct RecordedSchedule: Sendable {
  public private(set) var algorithm = CongestionAlgorithm.none
  public private(set) var segmentSize = 0
  public private(set) var initialWindow = 0
  public private(set) var threshold = 0xFFFF
  public private(set) var events: [RecordedEvent] = []
  private var last = RecordedAcknowledgment(
    after: .zero, octets: 0, delivered: 0, sample: nil, inFlight: 0, window: 0)

  public init(_ text: String) throws(Broken) {
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.split(separator: " ")
      guard let first = words.first, first != "#" else { continue }
      guard take(String(first), Array(words)) else { throw Broken("line \(number + 1): \(line)") }
    }
    guard algorithm != .none, 1...0xFFFF ~= segmentSize, initialWindow > 0 else {
      throw Broken("algorithm, segment or window is missing")
    }
  }

  /// Returns whether the line is one of those above.
  private mutating func take(_ first: String, _ words: [Substring]) -> Bool {
    switch first {
    case "algorithm":
      guard let named = words.count == 2 ? Self.algorithm(named: words[1].lowercased()) : nil else { return false }
      algorithm = named
    case "segment", "window", "threshold", "ended":
      guard words.count == 2, let number = Int(words[1]), 0...0xFFFF_FFFF ~= number else { return false }
      if first == "segment" { segmentSize = number }
      if first == "window" { initialWindow = number }
      if first == "threshold" { threshold = number }
      if first == "ended" { events.append(.ended(delivered: number)) }
    case "mark":
      var window: Int?
      guard words.count >= 2, let after = Int64(words[1]), Self.take(words[2...], window: &window) else { return false }
      events.append(.mark(after: .microseconds(after), window: window))
    case "loss":
      var window: Int?
      guard
        words.count >= 3, let after = Int64(words[1]), let inFlight = Int(words[2]),
        Self.take(words[3...], window: &window)
      else { return false }
      events.append(.loss(after: .microseconds(after), inFlight: inFlight, window: window))
    case "timeout":
      guard words.count == 3, let after = Int64(words[1]), let inFlight = Int(words[2]) else { return false }
      events.append(.timeout(after: .microseconds(after), inFlight: inFlight))
    default:
      return takeAcknowledgment(words)
    }
    return true
  }

  private mutating func takeAcknowledgment(_ words: [Substring]) -> Bool {
    guard 5...7 ~= words.count else { return false }
    var next = last
    guard let after = Int64(words[0]) else { return false }
    next.after = .microseconds(after)
    guard
      Self.take(words[1], into: &next.octets), Self.take(words[3], into: &next.inFlight),
      Self.take(words[4], into: &next.window)
    else { return false }
    if words[2] == "-" {
      next.sample = nil
    } else if words[2] != "=" {
      guard let sample = Int64(words[2]) else { return false }
      next.sample = .microseconds(sample)
    }
    next.delivered = next.octets
    next.isMarked = false
    for word in words[5...] {
      if word == "marked" { next.isMarked = true } else if !Self.take(word, into: &next.delivered) { return false }
    }
    last = next
    events.append(.acknowledgment(next))
    return true
  }

  private static func take(_ word: Substring, into number: inout Int) -> Bool {
    if word == "=" { return true }
    guard let value = Int(word), 0...0xFFFF_FFFF ~= value else { return false }
    number = value
    return true
  }

  /// What may follow: one number, or nothing.
  private static func take(_ words: ArraySlice<Substring>, window: inout Int?) -> Bool {
    guard let word = words.first else { return true }
    guard words.count == 1, let value = Int(word), 1...0xFFFF_FFFF ~= value else { return false }
    window = value
    return true
  }

  private static func algorithm(named name: String) -> CongestionAlgorithm? {
    if name == "reno" { return .newReno }
    return CongestionAlgorithm.allCases.first { "\($0)".lowercased() == name }
  }
}
