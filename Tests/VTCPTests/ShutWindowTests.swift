// SPDX-License-Identifier: Apache-2.0

import TCPPolicy
import Testing
import Wire

@testable import Simulation
@testable import VTCP

@Suite("Receivers that shut their window with data on their way, and throw them away")
struct ShutWindowTests {
  /// Three segments of 500 octets from place 100 on to a receiver that has shut its window meanwhile.
  private func shut(_ leg: Leg, sack: Bool, _ policy: ShutWindowPolicy = .keepPromise) throws -> ModuleRig {
    let rig = try ModuleRig { $0.flow.shutWindow = policy }
    try rig.openAndTalk { $0.permitsSACK = sack }
    for packet in 0..<3 {
      if leg == .network {
        _ = try rig.guest(at: 100 + 500 * packet, 500, ack: 100)
      } else {
        _ = try rig.network(at: 100 + 500 * packet, 500, ack: 100)
      }
    }
    _ = try rig.emissions(to: leg.opposite)
    rig.tick(1)
    try say(rig, leg, window: 0)
    return rig
  }

  /// The receiver acknowledges up to a place and shows a window.
  private func say(_ rig: ModuleRig, _ leg: Leg, ack place: Int = 100, window: UInt16) throws {
    if leg == .network {
      _ = try rig.network(at: 100, ack: place, window: window)
    } else {
      _ = try rig.guest(at: 100, ack: place, window: window)
    }
  }

  @Test(
    "What a receiver threw away while its window was shut is sent again as soon as it opens", arguments: [true, false])
  func opened(sack: Bool) throws {
    for leg in [Leg.network, .guest] {
      let rig = try shut(leg, sack: sack)
      rig.tick(50)
      #expect(try rig.emissions(to: leg).isEmpty, "to \(leg)")
      try say(rig, leg, window: 20_000)
      let again = try rig.emissions(to: leg)
      #expect(again.first.map { rig.place($0, to: leg) } == 100, "to \(leg)")
      #expect(again.reduce(0) { $0 + $1.payloadCount } == 1500, "to \(leg)")
      // Once.
      rig.tick(1)
      try say(rig, leg, window: 20_000)
      #expect(try rig.emissions(to: leg).isEmpty, "to \(leg)")
    }
  }

  @Test("However often was asked meanwhile: the timer that had doubled is not waited for")
  func afterTimeouts() throws {
    for leg in [Leg.network, .guest] {
      let rig = try shut(leg, sack: false)
      var asked = 0
      for _ in 0..<700 {
        rig.tick(10)
        let questions = try rig.emissions(to: leg)
        #expect(questions.allSatisfy { $0.payloadCount == 1 })
        asked += questions.count
        if !questions.isEmpty { try say(rig, leg, window: 0) }
      }
      #expect((4...8).contains(asked))
      try say(rig, leg, window: 20_000)
      var acknowledged = 100
      // A segment at the least for each acknowledgment, whatever timeouts have made of the congestion window.
      for _ in 0..<3 where acknowledged < 1600 {
        let again = try rig.emissions(to: leg)
        try #require(again.first.map { rig.place($0, to: leg) } == acknowledged, "to \(leg)")
        acknowledged += again.reduce(0) { $0 + $1.payloadCount }
        rig.tick(1)
        try say(rig, leg, ack: acknowledged, window: 20_000)
      }
      #expect(acknowledged == 1600, "to \(leg)")
    }
  }

  @Test(
    "21: what a sender repeats while its receiver's window is shut ends here, and is acknowledged when the window opens, but for its FIN"
  )
  func repeatedMeanwhile() throws {
    let fin = ModelSegment.ack | ModelSegment.fin
    let rig = try shut(.network, sack: false, .stop)
    #expect(try rig.guest(at: 1600, 500, ack: 100) == nil)
    #expect(try rig.guest(fin, at: 2100, 300, ack: 100) == nil)
    #expect(try rig.emissions(to: .guest).isEmpty)
    for _ in 0..<3 {
      rig.tick(1)
      #expect(try rig.guest(at: 1600, 500, ack: 100) == nil)
      #expect(try rig.guest(fin, at: 2100, 300, ack: 100) == nil)
      #expect(try rig.emissions(to: .guest).isEmpty)
    }
    #expect(try rig.emissions(to: .network).isEmpty)
    let opened = try rig.network(at: 100, ack: 100, window: 20_000)
    let told = try [opened].compactMap { $0 } + rig.emissions(to: .guest)
    #expect(told.map { rig.acknowledged($0, to: .guest) } == [2400])
    let went = try rig.emissions(to: .network)
    #expect(went.reduce(0) { $0 + $1.payloadCount } == 2300)
    #expect(went.last?.has(ModelSegment.fin) == true)
  }

  @Test("So is what is only held so far, since early acknowledgment could not begin with a shut window")
  func held() throws {
    let rig = try ModuleRig { $0.flow.shutWindow = .stop }
    try rig.open()
    _ = try rig.guest(at: 0, 100)
    _ = try rig.guest(at: 100, 100)
    _ = try rig.network(ack: 100)
    _ = try rig.guest(at: 200, 500)
    try #require(rig.view?.transmit.state == .holding)
    rig.tick(1)
    _ = try rig.network(ack: 200, window: 0)
    try #require(rig.view?.transmit.state == .holding)
    rig.tick(50)
    _ = try rig.network(ack: 200, window: 20_000)
    #expect(try rig.emissions(to: .network).map { rig.place($0, to: .network) } == [200])
  }

  @Test(
    "In mode snoop questions to a shut window are no attempts: when it opens, what is held is sent again, however often was asked"
  )
  func snoop() throws {
    let rig = try ModuleRig { $0.flow.mode = .snoop }
    try rig.openAndTalk()
    _ = try rig.guest(at: 100, 500, ack: 100)
    rig.tick(1)
    _ = try rig.network(at: 100, ack: 100, window: 0)
    var asked = 0
    for _ in 0..<1000 {
      rig.tick(10)
      for question in try rig.emissions(to: .network) {
        #expect(question.payloadCount == 1)
        asked += 1
        _ = try rig.network(at: 100, ack: 100, window: 0)
      }
    }
    #expect(asked == 3)
    _ = try rig.network(at: 100, ack: 100, window: 20_000)
    #expect(try rig.emissions(to: .network).reduce(0) { $0 + $1.payloadCount } == 500)
  }

  @Test("What was sent less than a round trip before may still arrive, and is waited for")
  func onItsWay() throws {
    let rig = try ModuleRig()
    _ = try rig.guest(ModelSegment.syn) { $0.maximumSegmentSize = 1000 }
    rig.tick(100)
    _ = try rig.network(ModelSegment.syn | ModelSegment.ack, ack: 0) { $0.maximumSegmentSize = 1000 }
    _ = try rig.guest()
    _ = try rig.guest(at: 0, 100)
    _ = try rig.network(ack: 100)
    _ = try rig.guest(at: 100, 500)
    rig.tick(20)
    _ = try rig.guest(at: 600, 500)
    try say(rig, .network, window: 0)
    rig.tick(90)
    try say(rig, .network, window: 20_000)
    #expect(try rig.emissions(to: .network).map { rig.place($0, to: .network) } == [100])
  }

  @Test(
    "R39: what the sender was shown a window for is acknowledged while it is shut, and it is shown no more until it opens",
    arguments: [Leg.network, .guest])
  func promise(leg: Leg) throws {
    let rig = try ModuleRig {
      $0.flow.transmitWindow = .buffer
      $0.flow.receiveWindow = .buffer
      $0.flow.transmitBufferSize = 10_000
      $0.flow.receiveBufferSize = 10_000
    }
    try rig.openAndTalk()
    func send(_ place: Int) throws -> ModelSegment? {
      _ = leg == .network ? try rig.guest(at: place, 1000, ack: 100) : try rig.network(at: place, 1000, ack: 100)
      return try rig.emissions(to: leg.opposite).last
    }
    let first = try #require(try send(100))
    let edge = rig.acknowledged(first, to: leg.opposite) + Int(first.window)
    try say(rig, leg, ack: 1100, window: 0)
    var place = 1100
    while place + 1000 <= edge {
      let said = try #require(try send(place), "\(place)")
      place += 1000
      #expect(rig.acknowledged(said, to: leg.opposite) == place)
      #expect(rig.acknowledged(said, to: leg.opposite) + Int(said.window) == edge)
      #expect(try rig.emissions(to: leg).isEmpty)
    }
    #expect(place > 5_000)
    let side = leg == .network ? rig.view?.transmit : rig.view?.receive
    #expect(side?.state == .accelerated && side?.owned == place - 1100)
    // It opens: the sender is shown that there is room, as there is, and the receiver gets it all.
    try say(rig, leg, ack: 1100, window: 20_000)
    var acknowledged = 1100
    for _ in 0..<100 where acknowledged < place {
      for segment in try rig.emissions(to: leg) {
        acknowledged = max(acknowledged, rig.place(segment, to: leg) + segment.payloadCount)
      }
      rig.tick(1)
      try say(rig, leg, ack: acknowledged, window: 20_000)
    }
    #expect(acknowledged == place)
    let shown = leg == .network ? rig.view?.transmit.shownEdge : rig.view?.receive.shownEdge
    let start = leg == .network ? ModuleRig.guestStart : ModuleRig.networkStart
    #expect(Int(try #require(shown).rawValue &- start &- 1) > edge)
  }

  @Test(
    "R39: what is held is acknowledged, too, when a receiver has taken all before it and shuts its window",
    arguments: ShutWindowPolicy.allCases)
  func shutWhileHolding(policy: ShutWindowPolicy) throws {
    let rig = try ModuleRig { $0.flow.shutWindow = policy }
    try rig.open()
    _ = try rig.guest(at: 0, 100)
    // Of what was sent before the receiver had acknowledged any, nobody has a copy.
    _ = try rig.guest(at: 100, 100)
    _ = try rig.network(ack: 100)
    #expect(try rig.guest(at: 200, 500) != nil)
    #expect(rig.view?.transmit.state == .holding)
    let said = try #require(try rig.network(ack: 200, window: 0))
    #expect(rig.acknowledged(said, to: .guest) == (policy == .stop ? 200 : 700))
    #expect(rig.view?.transmit.owned == (policy == .stop ? 0 : 500))
    // It had been shown so much, and is shown no more.
    #expect(rig.acknowledged(said, to: .guest) + Int(said.window) == (policy == .stop ? 200 : 20_100))
  }

  /// Mode `snoop`: two segments are on their way to a receiver that shuts its window, and the sender's timer runs out.
  private func timedOut() throws -> ModuleRig {
    let rig = try ModuleRig { $0.flow.mode = .snoop }
    try rig.openAndTalk { $0.permitsSACK = true }
    for place in [100, 600] { #expect(try rig.guest(at: place, 500, ack: 100) != nil) }
    rig.tick(1)
    try say(rig, .network, window: 0)
    rig.tick(200)
    _ = try rig.emissions(to: .network)
    #expect(try rig.guest(at: 100, 500, ack: 100) != nil)
    try say(rig, .network, window: 0)
    rig.tick(400)
    _ = try rig.emissions(to: .network)
    return rig
  }

  @Test(
    "In mode snoop, who has timed out before a window opened is not acknowledged because of us what it has not sent again: it would take its timeout for one in vain"
  )
  func timeoutCalledFor() throws {
    let rig = try timedOut()
    try say(rig, .network, window: 20_000)
    // It need not wait for its timer, which has doubled.
    let again = try rig.emissions(to: .network)
    #expect(again.map { rig.place($0, to: .network) } == [100] && again.first?.payloadCount == 500)
    rig.tick(1)
    let first = try #require(try rig.network(at: 100, ack: 600))
    #expect(rig.acknowledged(first, to: .guest) == 600)
    // New data show it that its timeout was called for (RFC 5682, section 3.1, step 3a): it hears what the receiver says of them.
    #expect(try rig.guest(at: 1100, 500, ack: 100) != nil)
    let report = try #require(
      try rig.network(at: 100, ack: 600) { $0.blocks = [ModuleRig.block(1100, 1600)] })
    #expect(rig.blocks(report, to: .guest) == [1100..<1600])
    for _ in 0..<100 {
      rig.tick(10)
      #expect(try rig.emissions(to: .network).isEmpty)
    }
    // What it has sent again and is lost again, we send.
    #expect(try rig.guest(at: 600, 500, ack: 100) != nil)
    for _ in 0..<100 {
      rig.tick(10)
      let again = try rig.emissions(to: .network)
      guard !again.isEmpty else { continue }
      #expect(again.map { rig.place($0, to: .network) } == [600])
      break
    }
    _ = try rig.network(at: 100, ack: 1600)
    // That is over, and losses are ours as before.
    for place in [1600, 2100, 2600, 3100] { _ = try rig.guest(at: place, 500, ack: 100) }
    for end in [2600, 3100, 3600] {
      _ = try rig.network(at: 100, ack: 1600) { $0.blocks = [ModuleRig.block(2100, end)] }
    }
    #expect(try rig.emissions(to: .network).map { rig.place($0, to: .network) } == [1600])
  }

  @Test("In mode snoop, all is sent again when a window opens if the sender has not timed out")
  func beforeTheTimeout() throws {
    let rig = try ModuleRig { $0.flow.mode = .snoop }
    try rig.openAndTalk { $0.permitsSACK = true }
    for place in [100, 600] { #expect(try rig.guest(at: place, 500, ack: 100) != nil) }
    rig.tick(1)
    try say(rig, .network, window: 0)
    // It looks whether only the end was lost (RFC 8985, section 7).
    #expect(try rig.guest(at: 600, 500, ack: 100) != nil)
    rig.tick(100)
    try say(rig, .network, window: 20_000)
    #expect(try rig.emissions(to: .network).reduce(0) { $0 + $1.payloadCount } == 1000)
  }

  @Test(
    "Early acknowledgment does not begin while the sender recovers from a timeout: it would take it for one in vain")
  func recoveringFirst() throws {
    let rig = try ModuleRig()
    try rig.open()
    _ = try rig.guest(at: 0, 100)
    // Of what was sent before the receiver had acknowledged any, nobody has a copy.
    _ = try rig.guest(at: 100, 100)
    _ = try rig.network(ack: 100)
    for place in [200, 700] { #expect(try rig.guest(at: place, 500) != nil) }
    rig.tick(1)
    _ = try rig.network(ack: 100, window: 0)
    rig.tick(200)
    #expect(try rig.guest(at: 100, 100) != nil)
    for (end, again) in [(200, 200), (700, 700)] {
      rig.tick(1)
      let told = try #require(try rig.network(ack: end))
      #expect(rig.acknowledged(told, to: .guest) == end)
      #expect(rig.view?.transmit.state == .holding)
      #expect(try rig.emissions(to: .network).isEmpty)
      #expect(try rig.guest(at: again, 500) != nil)
    }
    rig.tick(1)
    _ = try rig.network(ack: 1200)
    _ = try rig.guest(at: 1200, 500)
    #expect(rig.view?.transmit.state == .accelerated)
    #expect(try rig.emissions(to: .guest).map { rig.acknowledged($0, to: .guest) } == [1700])
  }
}
