// SPDX-License-Identifier: Apache-2.0

import Packets
import Polling
import TestSupport
import Testing
import Timekeeping
import Uplinks

@Suite(
  "Packet socket uplink: over a veth pair",
  .enabled(if: PrivateNetwork.isAvailable, "needs root and /dev/net/tun"))
struct PacketSocketUplinkTests {
  private static func demand(_ condition: Bool, _ what: @autoclosure () -> String, line: Int = #line) throws {
    try PrivateNetwork.demand(condition, what(), line: line)
  }

  /// Uplinks on both ends of a new veth pair that carries frames.
  private static func withPair(_ body: @escaping (UplinkUser, UplinkUser) throws -> Void) throws {
    try PrivateNetwork.run {
      try PrivateNetwork.command("ip link add va type veth peer name vb && ip link set va up && ip link set vb up")
      let near = try UplinkUser("packet:va")
      let far = try UplinkUser("packet:vb")
      _ = try near.exchange(TestFrame.plain([0]), with: far)
      _ = try far.receiveOurs(timeout: .milliseconds(20))
      try body(near, far)
    }
  }

  @Test func batchArrivesInOrderAndNothingSentComesBack() throws {
    try Self.withPair { near, far in
      // More than one batch of 16.
      let frames = (0..<30).map { TestFrame.plain([UInt8($0)]) }
      try Self.demand(near.send(frames) == SendOutcome(accepted: 30, blocked: false), "all sent")
      let arrived = try far.receiveOurs(timeout: .milliseconds(50))
      try Self.demand(arrived == frames, "\(arrived.count) of 30 arrived in order")
      try Self.demand(try near.receiveOurs(timeout: .milliseconds(20)).isEmpty, "our own came back")
      try Self.demand(near.uplink.stagesFrames && near.uplink.carriesOffloads && near.uplink.queueCount == 1, "shape")
    }
  }

  @Test func smallAndLargeFramesArriveInTheOrderInWhichTheyWereSent() throws {
    try Self.withPair { near, far in
      let frames = (0..<24).map { index in
        index % 3 == 2
          ? TestFrame.largeTCP(length: 10_000 + index, segment: 1448, tag: []) : TestFrame.plain([UInt8(index)])
      }
      try Self.demand(near.send(frames) == SendOutcome(accepted: 24, blocked: false), "all sent")
      let arrived = try far.receiveOurs(timeout: .milliseconds(50))
      try Self.demand(arrived.map(\.count) == frames.map(\.count), "\(arrived.map(\.count))")
      let small = frames.indices.filter { $0 % 3 != 2 }
      try Self.demand(small.allSatisfy { arrived[$0] == frames[$0] }, "the small ones are as they were")
    }
  }

  @Test func slowInterfaceTakesNoMoreForAWhileAndLosesNothing() throws {
    try Self.withPair { near, far in
      try PrivateNetwork.command("tc qdisc add dev va root tbf rate 8kbit burst 10kb limit 1mb")
      let frames = (0..<1500).map { TestFrame.plain([UInt8($0 >> 8), UInt8($0 & 255)]) }
      let poller = try Poller(maximumEvents: 1)
      var sent = 0
      var waits = 0
      while sent < frames.count {
        let outcome = near.send(Array(frames[sent..<min(sent + 32, frames.count)]))
        sent += outcome.accepted
        guard outcome.blocked else { continue }
        waits += 1
        let blocked = near.uplink.blockedDescriptor ?? -1
        if waits == 1 {
          try poller.add(blocked, [.writable, .edgeTriggered], token: 0)
          try PrivateNetwork.command("tc qdisc change dev va root tbf rate 1gbit burst 10kb limit 1mb")
        }
        try Self.demand(poller.wait(timeout: .seconds(5)) == 1, "\(sent) sent, and no news of more")
      }
      try Self.demand(waits > 0, "it never had to wait")
      try Self.demand(near.uplink.blockedDescriptor == nil, "it waits no more")
      // Twice: `receiveOurs` ends with a thousand.
      let arrived = try far.receiveOurs(timeout: .milliseconds(100)) + far.receiveOurs(timeout: .milliseconds(100))
      let first = zip(arrived, frames).prefix { $0 == $1 }.count
      try Self.demand(arrived == frames, "\(arrived.count) of \(frames.count) arrived, the first \(first) in order")
    }
  }

  @Test(arguments: [[0x81, 0x00, 0x60, 0x05], [0x88, 0xA8, 0x00, 0x07], [0x81, 0x00, 0x00, 0x00]] as [[UInt8]])
  func strippedTagIsPutBack(tag: [UInt8]) throws {
    try Self.withPair { near, far in
      let frame = TestFrame.plain([1, 2, 3], tag: tag)
      try Self.demand(try near.exchange(frame, with: far).allSatisfy { $0 == frame }, "tagged frame")
    }
  }

  @Test(arguments: [[], [0x81, 0x00, 0x00, 0x05]] as [[UInt8]])
  func largeSegmentPassesWholeWithItsOffsets(tag: [UInt8]) throws {
    try Self.withPair { near, far in
      let large = TestFrame.largeTCP(length: 30_000, segment: 1448, tag: tag)
      let arrived = try near.exchange(large, with: far)
      try Self.demand(arrived.count == 1 && arrived[0].count == large.count, "\(arrived.map(\.count))")
      let frame = arrived[0]
      try Self.demand(frame[0] & 1 == 1 && frame[1] == 1, "flags \(frame[0]), type \(frame[1])")
      try Self.demand(TestFrame.load(frame, at: 4) == 1448, "segment size")
      try Self.demand(TestFrame.load(frame, at: 6) == UInt16(34 + tag.count), "checksum start")
      try Self.demand(TestFrame.load(frame, at: 8) == 16, "checksum offset")
      try Self.demand(frame[10...] == large[10...], "the frame itself")
    }
  }

  @Test func linkThatGoesDownComesBackWithoutABusyLoop() throws {
    try Self.withPair { near, far in
      try PrivateNetwork.command("ip link set va down && ip link set vb down")
      try Self.demand(near.send([TestFrame.plain([1])]) == SendOutcome(accepted: 1, blocked: false), "dropped")
      try Self.demand(near.uplink.counters.sendDropped == 1, "counted")
      _ = try far.receiveOurs(timeout: .zero)
      let poller = try Poller(maximumEvents: 1)
      try poller.add(far.uplink.descriptor(queue: 0) ?? -1, .readable, token: 0)
      try Self.demand(poller.wait(timeout: .zero) == 0, "nothing more is reported")
      try PrivateNetwork.command("ip link set va up && ip link set vb up")
      _ = try near.exchange(TestFrame.plain([2]), with: far)
    }
  }

  @Test func limitsAreTheInterfacesOwn() throws {
    try Self.withPair { near, _ in
      try PrivateNetwork.command("ip link set dev va mtu 1400 gso_max_size 32000 gso_max_segs 20")
      let limits = try LinkLimits.read(interface: "va")
      try Self.demand(limits == near.uplink.limits, "same by either way")
      try Self.demand(limits.mtu == 1400 && limits.gsoMaxSize == 32_000 && limits.gsoMaxSegments == 20, "\(limits)")
      try Self.demand(limits.gsoIPv4MaxSize > 0 && limits.gsoIPv4MaxSize <= 65_536, "\(limits)")
      try Self.demand(limits.tsoMaxSize == 0 || limits.tsoMaxSize >= 65_536, "\(limits)")
      try Self.demand(limits.tso4 && limits.tso6 && limits.transmitChecksum, "a veth segments and checksums")
      try near.uplink.setMTU(1300)
      try Self.demand(near.uplink.mtu == 1300, "MTU set")
    }
  }

  @Test("R64: what may leave in one piece is one byte less than the interface's limit, and follows it")
  func egressLimitsAreReadAnew() throws {
    try Self.withPair { near, _ in
      let usual = EgressLimits(ipv4Bytes: 65_535, ipv6Bytes: 65_535, segments: 65_535)
      try Self.demand(near.uplink.egressLimits == usual, "\(String(describing: near.uplink.egressLimits))")
      try PrivateNetwork.command("ip link set dev va gso_max_size 16384 gso_max_segs 24")
      let lowered = EgressLimits(ipv4Bytes: 16_383, ipv6Bytes: 16_383, segments: 24)
      try Self.demand(near.uplink.egressLimits == lowered, "\(String(describing: near.uplink.egressLimits))")
      // Another name is the same interface; none is no answer.
      try PrivateNetwork.command("ip link set va down && ip link set va name vc && ip link set vc up")
      try Self.demand(near.uplink.egressLimits == lowered, "renamed")
      try PrivateNetwork.command("ip link delete vc")
      try Self.demand(near.uplink.egressLimits == nil, "gone")
    }
  }

  @Test func interfaceThatIsMissingOrTooNarrowIsExplained() throws {
    try Self.withPair { _, _ in
      for (specification, mtu, words) in [
        ("packet:nobody", 1500, "no interface nobody"), ("packet:va", 9000, "--mtu 1500"),
      ] {
        do {
          _ = try UplinkUser(specification, mtu: mtu)
          throw PrivateNetwork.Failure(description: "\(specification) was opened")
        } catch let error as UplinkError {
          try Self.demand(error.message.contains(words) && error.message.hasSuffix("."), error.message)
        }
      }
    }
  }
}
