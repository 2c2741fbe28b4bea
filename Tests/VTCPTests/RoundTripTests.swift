// SPDX-License-Identifier: Apache-2.0

import Testing
import Timekeeping

@testable import Simulation
@testable import VTCP

@Suite("How long a side waits that has sent nothing yet")
struct RoundTripTests {
  /// The handshake, which takes so many milliseconds on the leg of the end that answers, and on the one of the end that opens; then 100
  /// octets each way, at once.
  private func open(
    _ rig: ModuleRig, fromGuest: Bool = true, _ answering: Int64, _ opening: Int64, repeatedAfter wait: Int64? = nil
  ) throws {
    let opener = fromGuest ? rig.guest : rig.network
    let other = fromGuest ? rig.network : rig.guest
    func syn(_ segment: inout ModelSegment) { segment.maximumSegmentSize = 1000 }
    _ = try opener(ModelSegment.syn, 0, 0, 0, 20_000, syn)
    if let wait {
      rig.tick(wait)
      if fromGuest { rig.clock.guest += UInt32(wait) } else { rig.clock.network += UInt32(wait) }
      _ = try opener(ModelSegment.syn, 0, 0, 0, 20_000, syn)
    }
    rig.tick(answering)
    _ = try other(ModelSegment.syn | ModelSegment.ack, 0, 0, 0, 20_000, syn)
    rig.tick(opening)
    _ = try opener(ModelSegment.ack, 0, 0, 0, 20_000) { _ in }
    _ = try rig.guest(at: 0, 100)
    _ = try rig.network(ack: 100)
    _ = try rig.network(at: 0, 100, ack: 100)
    _ = try rig.guest(at: 100, ack: 100)
  }

  /// After how many milliseconds what is lost is sent again.
  private func wait(_ rig: ModuleRig, to leg: Leg) throws -> Int {
    if leg == .network {
      _ = try rig.guest(at: 100, 500, ack: 100)
    } else {
      _ = try rig.network(at: 100, 500, ack: 100)
    }
    _ = try rig.emissions(to: leg.opposite)
    for waited in 1...5000 {
      rig.tick(1)
      if try !rig.emissions(to: leg).isEmpty { return waited }
      _ = try rig.emissions(to: leg.opposite)
    }
    throw Broken("it is not sent again")
  }

  @Test(
    "RFC 6298, section 2.2: the first timeout is three times the round trip of the handshake, whoever began it",
    arguments: [true, false])
  func handshake(fromGuest: Bool) throws {
    for leg in [Leg.network, .guest] {
      let rig = try ModuleRig()
      try open(rig, fromGuest: fromGuest, 100, 150)
      let roundTrip = (leg == .network) == fromGuest ? 100 : 150
      #expect(abs(try wait(rig, to: leg) - 3 * roundTrip) <= 2, "to \(leg)")
    }
  }

  @Test("A round trip of a millisecond makes the first timeout the least that policy allows, not a second")
  func shortest() throws {
    let rig = try ModuleRig()
    try open(rig, 1, 1)
    #expect(abs(try wait(rig, to: .network) - 200) <= 1)
  }

  @Test("RFC 6298, section 3: a SYN that was sent twice tells nothing without timestamps")
  func repeatedSYN() throws {
    let rig = try ModuleRig()
    try open(rig, 100, 150, repeatedAfter: 1000)
    #expect(abs(try wait(rig, to: .network) - 1000) <= 1)
    // The other one was sent once.
    let again = try ModuleRig()
    try open(again, 100, 150, repeatedAfter: 1000)
    #expect(abs(try wait(again, to: .guest) - 450) <= 2)
  }

  @Test("A SYN that was sent twice is timed if a timestamp says which one is answered")
  func repeatedSYNWithTimestamps() throws {
    let rig = try ModuleRig()
    rig.hasTimestamps = true
    try open(rig, 100, 150, repeatedAfter: 1000)
    #expect(abs(try wait(rig, to: .network) - 300) <= 2)
  }

  @Test("An answer with data tells nothing: they may have been waited for")
  func answerWithData() throws {
    let rig = try ModuleRig()
    _ = try rig.network(ModelSegment.syn) { $0.maximumSegmentSize = 1000 }
    _ = try rig.guest(ModelSegment.syn | ModelSegment.ack) { $0.maximumSegmentSize = 1000 }
    rig.tick(3000)
    _ = try rig.network(at: 0, 100)
    _ = try rig.guest(at: 0, 100, ack: 100)
    _ = try rig.network(at: 100, ack: 100)
    #expect(abs(try wait(rig, to: .network) - 1000) <= 1)
  }

  @Test("A side that begins once more knows the round trip that it had")
  func again() throws {
    let rig = try ModuleRig()
    try open(rig, 10, 10)
    for packet in 0..<30 {
      _ = try rig.network(at: 100 + 100 * packet, 100, ack: 100)
      _ = try rig.emissions(to: .network)
      rig.tick(100)
      _ = try rig.guest(at: 100, ack: 200 + 100 * packet)
    }
    // A gap, of which the receiver knows more than we: there is nothing to hold any more.
    _ = try rig.network(at: 3200, 100, ack: 100)
    _ = try rig.guest(at: 100, ack: 3300)
    try #require(rig.view?.receive.state == .passThrough)
    _ = try rig.network(at: 3300, 100, ack: 100)
    _ = try rig.emissions(to: .network)
    rig.tick(290)
    #expect(try rig.emissions(to: .guest).isEmpty)
    rig.tick(20)
    #expect(try rig.emissions(to: .guest).map { rig.place($0, to: .guest) } == [3300])
  }

  @Test("An interval in two bytes is within a thousandth of what it was")
  func compact() {
    for nanoseconds: Int64 in [
      1000, 999_000, 2_047_000, 2_048_000, 20_000_000, 123_456_789, 1_000_000_000, 4_294_967_295_000,
    ] {
      let kept = CompactInterval(.nanoseconds(nanoseconds)).interval.nanoseconds
      #expect(kept <= nanoseconds && nanoseconds - kept <= nanoseconds / 1000, "\(nanoseconds)")
    }
    #expect(CompactInterval(.zero).interval == .microseconds(1))
    #expect(CompactInterval(.nanoseconds(.max)).interval > .seconds(1_000_000))
    #expect(CompactInterval.unknown.interval == .zero)
  }
}
