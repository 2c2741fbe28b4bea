// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Polling
import TestSupport
import Testing
import Timekeeping
import Uplinks

@Suite(
  "TAP uplink: created or attached, and what the host's side of it sees",
  .enabled(if: PrivateNetwork.isAvailable, "needs root and /dev/net/tun"))
struct TapUplinkTests {
  private static func demand(_ condition: Bool, _ what: @autoclosure () -> String, line: Int = #line) throws {
    try PrivateNetwork.demand(condition, what(), line: line)
  }

  private static func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch { return "\(error)" }
  }

  @Test func tapThatDoesNotExistIsCreatedUpWithItsMTUAndGoesWithTheUplink() throws {
    try PrivateNetwork.run {
      do {
        let user = try UplinkUser("tap:vt0", mtu: 9000)
        try PrivateNetwork.command("ip -o link show dev vt0 up | grep -q 'mtu 9000'")
        let limits = user.uplink.limits
        try Self.demand(limits?.mtu == 9000, "limits: \(String(describing: limits))")
        try Self.demand(limits.map { $0.gsoMaxSize >= 65_536 && $0.tso4 && $0.transmitChecksum } == true, "abilities")
        try user.uplink.setMTU(1400)
        try Self.demand(user.uplink.mtu == 1400, "MTU changed")
        try Self.demand(user.uplink.queueCount == 1 && user.uplink.name == "tap:vt0", "shape")
      }
      try PrivateNetwork.command("! ip link show dev vt0 2>/dev/null")
    }
  }

  @Test func framesPassBothWaysBetweenTapAndHost() throws {
    try PrivateNetwork.run {
      let tap = try UplinkUser("tap:vt0")
      let host = try UplinkUser("packet:vt0")
      let frame = TestFrame.plain([1, 2, 3])
      try Self.demand(try host.exchange(frame, with: tap).allSatisfy { $0 == frame }, "host to TAP")
      try Self.demand(try tap.exchange(frame, with: host).allSatisfy { $0 == frame }, "TAP to host")
      try Self.demand(tap.uplink.counters.sendErrors == 0, "no errors")
    }
  }

  @Test func largeSegmentComesWholeOnlyWhenItMay() throws {
    try PrivateNetwork.run {
      let tap = try UplinkUser("tap:vt0")
      let host = try UplinkUser("packet:vt0")
      _ = try host.exchange(TestFrame.plain([1]), with: tap)
      let large = TestFrame.largeTCP(length: 3500, segment: 1000)
      try Self.demand(tap.uplink.setReceiveOffloads([]) == [], "none accepted")
      let pieces = try host.exchange(large, with: tap)
      try Self.demand(pieces.count == 4 && pieces.allSatisfy { $0[0] & 1 == 0 && $0[1] == 0 }, "\(pieces.count) pieces")
      let wanted: ReceiveOffloads = [.checksum, .tso4, .tso6, .ecn]
      try Self.demand(tap.uplink.setReceiveOffloads(wanted) == wanted, "all accepted")
      let whole = try host.exchange(large, with: tap)
      try Self.demand(whole.count == 1 && whole[0].count == large.count && whole[0][1] == 1, "one piece")
      try Self.demand(TestFrame.load(whole[0], at: 4) == 1000, "its segment size")
    }
  }

  @Test func offloadsThatNeedOthersAreNotAskedForWithoutThem() throws {
    try PrivateNetwork.run {
      let uplink = try UplinkUser("tap:vt0").uplink
      try Self.demand(uplink.setReceiveOffloads([.tso4, .uso4]) == [], "no checksum, nothing")
      try Self.demand(uplink.setReceiveOffloads([.checksum, .ecn]) == [.checksum], "ECN without TSO")
      try Self.demand(uplink.setReceiveOffloads([.checksum, .uso4]) == [.checksum], "half of USO")
    }
  }

  @Test func detachedQueuesReceiveNothingAndTheirSendsStillPass() throws {
    try PrivateNetwork.run {
      let tap = try UplinkUser("tap:vt0", queuePairs: 4)
      let host = try UplinkUser("packet:vt0")
      try Self.demand(tap.uplink.queueCount == 4, "four queues")
      try Self.demand(Set((0..<4).map { tap.uplink.descriptor(queue: $0) }).count == 4, "four descriptors")
      _ = try host.exchange(TestFrame.plain([1]), with: tap)
      for active in [1, 3, 2, 4, 0, 1] {
        tap.uplink.setActiveQueues(active)
        for kind in 0..<16 {
          var frame = TestFrame.plain([UInt8(kind)])
          frame[15] = UInt8(kind)
          _ = host.send([frame])
        }
        let count = try tap.receiveOurs(timeout: .milliseconds(20), queues: 0..<max(active, 1)).count
        try Self.demand(count == 16, "\(count) of 16 with \(active) queues")
        for queue in 0..<4 {
          try Self.demand(tap.send([TestFrame.plain([9])], queue: queue).accepted == 1, "send on \(queue)")
        }
        try Self.demand(tap.receive(queue: 3) == nil && !tap.uplink.isGone, "a detached queue is not gone")
      }
      try Self.demand(tap.uplink.counters.sendDropped == 0 && tap.uplink.counters.sendErrors == 0, "no errors")
    }
  }

  @Test func existingTapIsAttachedAndTheWrongNumberOfQueuesExplained() throws {
    try PrivateNetwork.run {
      try PrivateNetwork.command(
        "ip tuntap add vt1 mode tap vnet_hdr && ip tuntap add vt2 mode tap multi_queue vnet_hdr")
      _ = try UplinkUser("tap:vt1")
      _ = try UplinkUser("tap:vt2")
      _ = try UplinkUser("tap:vt2", queuePairs: 2)
      let single = Self.message { _ = try UplinkUser("tap:vt1", queuePairs: 2) }
      try Self.demand(single.contains("multi_queue") && single.contains("--queues 1"), single)
      let holder = try UplinkUser("tap:vt1")
      let busy = Self.message { _ = try UplinkUser("tap:vt1") }
      try Self.demand(busy.contains("in use"), busy)
      let other = Self.message { _ = try UplinkUser("tap:lo") }
      try Self.demand(other.contains("not a TAP"), other)
      withExtendedLifetime(holder) {}
    }
  }

  @Test func tapWithoutHeaderGetsAndGivesBareFrames() throws {
    try PrivateNetwork.run {
      let fd = vtcp_tap_open("vt0", 0)
      try Self.demand(fd >= 0, "open")
      let tap = try UplinkUser("fd:\(fd)")
      try PrivateNetwork.command("ip link set vt0 up")
      try Self.demand(!tap.uplink.carriesOffloads && tap.uplink.setReceiveOffloads(.all) == [], "no offloads")
      try Self.demand(tap.uplink.limits?.tso4 == false, "no segmentation")
      let host = try UplinkUser("packet:vt0")
      let frame = TestFrame.plain([1, 2, 3])
      try Self.demand(try host.exchange(frame, with: tap).allSatisfy { $0 == frame }, "host to TAP")
      try Self.demand(try tap.exchange(frame, with: host).allSatisfy { $0 == frame }, "TAP to host")
    }
  }

  @Test func tapFromElsewhereIsUsedWithItsHeader() throws {
    try PrivateNetwork.run {
      let fd = vtcp_tap_open("vt0", VTCP_TAP_VNET_HEADER)
      let tap = try UplinkUser("fd:\(fd)")
      try Self.demand(tap.uplink.carriesOffloads && tap.uplink.name == "fd:\(fd) (vt0)", tap.uplink.name)
    }
  }

  @Test func tunIsRefusedWithASentence() throws {
    try PrivateNetwork.run {
      let fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC)
      // struct ifreq: "tun0", IFF_TUN | IFF_NO_PI; TUNSETIFF.
      var request = [UInt8]("tun0".utf8) + [UInt8](repeating: 0, count: 36)
      request[16] = 0x01
      request[17] = 0x10
      try Self.demand(ioctl(fd, 0x4004_54CA, &request) == 0, "make a TUN")
      let text = Self.message { _ = try UplinkUser("fd:\(fd)") }
      try Self.demand(text.contains("is the TUN tun0"), text)
    }
  }

  @Test func framesToALinkThatIsDownAreDroppedAndARemovedOneIsNoticed() throws {
    try PrivateNetwork.run {
      let tap = try UplinkUser("tap:vt0")
      try PrivateNetwork.command("ip link set vt0 down")
      try Self.demand(tap.send([TestFrame.plain([1])]) == SendOutcome(accepted: 1, blocked: false), "accepted")
      try Self.demand(tap.uplink.counters.sendDropped == 1, "counted")
      try PrivateNetwork.command("ip link set vt0 up")
      try Self.demand(tap.send([TestFrame.plain([1])]).accepted == 1, "accepted")
      try Self.demand(tap.uplink.counters.framesSent == 1, "sent")
      try PrivateNetwork.command("ip link del vt0")
      while tap.receive() != nil {}
      try Self.demand(tap.uplink.isGone, "gone")
    }
  }

  @Test func refusedOffloadRequestIsAnErrorCountedAndNotTheEnd() throws {
    try PrivateNetwork.run {
      let tap = try UplinkUser("tap:vt0")
      var bad = TestFrame.largeTCP(length: 2000, segment: 1000)
      bad[1] = 0x77
      try Self.demand(tap.send([bad, TestFrame.plain([1])]).accepted == 2, "both accepted")
      try Self.demand(tap.uplink.counters.sendErrors == 1 && tap.uplink.counters.framesSent == 1, "one refused")
    }
  }
}
