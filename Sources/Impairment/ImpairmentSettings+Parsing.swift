// SPDX-License-Identifier: Apache-2.0

import Timekeeping

extension ImpairmentSettings {
  /// What may stand in a description: for help and errors.
  public static let grammar = """
    delay=TIME           from one end to the other
    jitter=TIME          up to so much more or less; frames stay in order
    rate=RATE            octets a second, or with kbit, mbit, gbit
    queue=OCTETS         that wait before the rate at most (262144)
    loss=PART            of frames, each for itself
    bursts=IN/OUT[/LOSS] parts: of frames that begin a burst, that end it; of frames lost in it (100%)
    reorder=PART         of frames, held back by reorder-by=TIME (1ms) while others pass
    duplicate=PART       of frames, sent twice
    corrupt=PART         of frames, in which one bit is turned over
    mark=PART            of frames that can bear it: congestion is marked (ECN)
    mark-above=OCTETS    waiting before the rate: congestion is marked
    stall=TIME/PERIOD    stand still for a part of each period, as a VM does that shares its processor
    """

  /// From a list such as "delay=10ms,loss=1%".
  public init(parsing text: String) throws(ImpairmentError) {
    self.init()
    var seen: Set<Substring> = []
    for item in text.split(separator: ",", omittingEmptySubsequences: true) {
      guard let equals = item.firstIndex(of: "=") else { throw ImpairmentError("'\(item)' lacks a value") }
      let name = item[..<equals]
      guard seen.insert(name).inserted else { throw ImpairmentError("\(name) is given twice") }
      try set(name, to: item[item.index(after: equals)...])
    }
    guard markAbove == nil || rate != nil else { throw ImpairmentError("mark-above needs a rate") }
  }

  private mutating func set(_ name: Substring, to value: Substring) throws(ImpairmentError) {
    switch name {
    case "delay": delay = try Self.time(value, of: name)
    case "jitter": jitter = try Self.time(value, of: name)
    case "rate": rate = try Self.rate(value)
    case "queue": queue = try Self.octets(value, of: name)
    case "loss": loss = try Probability(parsing: value, of: name)
    case "bursts": bursts = try Self.bursts(value)
    case "reorder": reorder = try Probability(parsing: value, of: name)
    case "reorder-by": reorderBy = try Self.time(value, of: name)
    case "duplicate": duplicate = try Probability(parsing: value, of: name)
    case "corrupt": corrupt = try Probability(parsing: value, of: name)
    case "mark": mark = try Probability(parsing: value, of: name)
    case "mark-above": markAbove = try Self.octets(value, of: name)
    case "stall": stall = try Self.stall(value)
    default: throw ImpairmentError("there is nothing called '\(name)'")
    }
  }

  /// An hour at most, so that sums of times have room.
  private static func time(_ text: Substring, of name: Substring) throws(ImpairmentError) -> Interval {
    let units: [(String, Double)] = [("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)]
    for (unit, nanoseconds) in units where text.hasSuffix(unit) {
      guard let number = Double(text.dropLast(unit.count)), number >= 0, number * nanoseconds <= 3.6e12 else { break }
      return Interval(nanoseconds: Int64(number * nanoseconds))
    }
    throw ImpairmentError("\(name) is a time up to an hour, such as 10ms or 250us, not '\(text)'")
  }

  private static func octets(_ text: Substring, of name: Substring) throws(ImpairmentError) -> Int {
    guard let number = Int(text), number > 0, number <= 1 << 40 else {
      throw ImpairmentError("\(name) is a number of octets, not '\(text)'")
    }
    return number
  }

  private static func rate(_ text: Substring) throws(ImpairmentError) -> Int {
    for (unit, bits) in [("kbit", 1e3), ("mbit", 1e6), ("gbit", 1e9)] where text.hasSuffix(unit) {
      guard let number = Double(text.dropLast(4)), number * bits >= 8, number * bits <= 1e13 else { break }
      return Int(number * bits / 8)
    }
    guard let number = Int(text), number > 0, number <= 1 << 40 else {
      throw ImpairmentError("rate is octets a second, or such as 100mbit, not '\(text)'")
    }
    return number
  }

  private static func bursts(_ text: Substring) throws(ImpairmentError) -> BurstLoss {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2 || parts.count == 3 else {
      throw ImpairmentError("bursts are such as 0.5%/30%, not '\(text)'")
    }
    let loss = parts.count == 3 ? try Probability(parsing: parts[2], of: "bursts") : .always
    return BurstLoss(
      toBad: try Probability(parsing: parts[0], of: "bursts"), toGood: try Probability(parsing: parts[1], of: "bursts"),
      lossInBad: loss)
  }

  private static func stall(_ text: Substring) throws(ImpairmentError) -> Stall {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2 else { throw ImpairmentError("stall is such as 60ms/90ms, not '\(text)'") }
    let stands = try time(parts[0], of: "stall")
    let period = try time(parts[1], of: "stall")
    guard stands < period else { throw ImpairmentError("stall is shorter than its period, not '\(text)'") }
    return Stall(stands: stands, period: period)
  }
}
