// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

/// For a rig of two pairs whose first pair's driver is hostile.
extension Rig {
  /// The program lives, the other pair works, and the queue works again after it was stopped and made anew.
  func expectRecovery() throws {
    #expect(nic.wait(timeout: 0) == nil)
    try guest.transmit(Rig.frame(1001), pair: 1)
    #expect(try nextNumbered() == 1001)
    try guest.reclaim(1, pair: 1)
    for index in 0..<2 as Range<UInt32> { _ = try frontEnd.getVringBase(index) }
    guest.forget(pair: 0)
    for index in 0..<2 { try frontEnd.startVring(UInt32(index), guest.queue(index)) }
    try frontEnd.enable(0..<2)
    try guest.transmit(Rig.frame(1002))
    #expect(try nextNumbered() == 1002)
    try guest.reclaim(1)
    try network.send(Rig.frame(1003))
    let deadline = Deadline(after: 5)
    while !deadline.hasPassed {
      for pair in 0..<2 {
        // Frames sent before come first and need buffers too.
        while guest.receiveQueues[pair].hasRoom(for: 1) { try guest.post(1, lengths: [2048], pair: pair) }
        if let frame = try guest.poll(pair: pair)?.frame, (try? Rig.number(of: frame)) == 1003 { return }
      }
    }
    Issue.record("no frame reaches the guest")
  }

  /// Takes what came to the other pair and gives it buffers again, so that its frames hold up nothing.
  func refill() throws {
    while try guest.poll(pair: 1) != nil {}
    while guest.receiveQueues[1].hasRoom(for: 1) { try guest.post(1, lengths: [2048], pair: 1) }
  }

  /// Has the NIC look at the broken receiveq: frames of so many flows that hardly ever none is for it.
  func provoke(flows: Int = 16) throws {
    try refill()
    for flow in 0..<flows {
      var builder = FrameBuilder(.v4, .udp, payload: [UInt8](repeating: 0, count: 64))
      builder.sourcePort = UInt16(50000 + flow)
      try network.send(builder.frame())
    }
  }

  /// The next of our numbered frames; what a hostile chain contained may come before it.
  func nextNumbered() throws -> Int {
    while true {
      let frame = try network.receive().frame
      if let number = try? Rig.number(of: frame), number > 1000, number < 2000 { return number }
    }
  }

  /// A number from the lines that SIGUSR1 has the program write: `field` of the last line that begins with `line`.
  func counter(_ field: String, of line: String) throws -> Int {
    let before = nic.errors.lines.count { $0.contains("front-end connections=") }
    nic.signal(SIGUSR1)
    let deadline = Deadline(after: 5)
    while nic.errors.lines.count(where: { $0.contains("front-end connections=") }) == before {
      guard !deadline.hasPassed else { throw TestFailure("no counters") }
      usleep(1000)
    }
    guard let found = nic.errors.lines.last(where: { $0.hasPrefix("vtcp-nic: \(line) ") }) else { return 0 }
    for word in found.split(separator: " ") where word.hasPrefix(field + "=") {
      return Int(word.dropFirst(field.count + 1)) ?? 0
    }
    return 0
  }

  /// How many lines of the log contain `words`, of those that were written before the last `counter`.
  func lines(with words: String) -> Int { nic.errors.lines.count { $0.contains(words) } }
}
