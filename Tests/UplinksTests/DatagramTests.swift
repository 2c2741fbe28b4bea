// SPDX-License-Identifier: Apache-2.0

import Glibc
import Memory
import Polling
import Testing
import Uplinks

@Suite("Descriptor uplink: unix sockets where each datagram is a header and a frame")
struct DatagramTests {
  /// An uplink on one end of a pair, and the other end.
  private func pair(_ type: UnixSocket.PairType) throws -> (UplinkUser, OwnedDescriptor) {
    let (near, far) = try UnixSocket.pair(type)
    return (try UplinkUser("fd:\(dup(near.rawValue))"), far)
  }

  private func read(_ fd: Int32) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 70_000)
    let count = recv(fd, &bytes, bytes.count, Int32(MSG_DONTWAIT))
    return count > 0 ? Array(bytes[..<count]) : nil
  }

  @Test(arguments: [UnixSocket.PairType.datagram, .sequencedPacket])
  func framesPassBothWaysUnchanged(type: UnixSocket.PairType) throws {
    let (user, far) = try pair(type)
    let sent = [TestFrame.largeTCP(length: 40_000, segment: 1448), TestFrame.plain([7])]
    #expect(user.send(sent) == SendOutcome(accepted: 2, blocked: false))
    #expect(read(far.rawValue) == sent[0])
    #expect(read(far.rawValue) == sent[1])
    #expect(user.receive() == nil)
    for frame in sent { #expect(Glibc.send(far.rawValue, frame, frame.count, 0) == frame.count) }
    #expect(user.receive() == sent[0])
    #expect(user.receive() == sent[1])
    #expect(user.receive() == nil)
    #expect(user.uplink.counters.framesReceived == 2)
    #expect(user.uplink.carriesOffloads && !user.uplink.stagesFrames && !user.uplink.isGone)
    #expect(user.uplink.limits == nil)
  }

  @Test(arguments: [UnixSocket.PairType.datagram, .sequencedPacket])
  func fullPeerBlocksAndNothingIsLostOrReordered(type: UnixSocket.PairType) throws {
    let (user, far) = try pair(type)
    var next: UInt8 = 0
    var seen: UInt8 = 0
    var blocked = false
    while next < 200 {
      let batch = (next..<next + 20).map { TestFrame.plain([$0] + [UInt8](repeating: 0, count: 20_000)) }
      let outcome = user.send(batch)
      #expect(outcome.blocked == (outcome.accepted < batch.count))
      blocked = blocked || outcome.blocked
      next += UInt8(outcome.accepted)
      guard outcome.blocked else { continue }
      while let frame = read(far.rawValue) {
        #expect(frame[24] == seen)
        seen += 1
      }
    }
    #expect(blocked)
    while let frame = read(far.rawValue) {
      #expect(frame[24] == seen)
      seen += 1
    }
    #expect(seen == next)
    #expect(user.uplink.counters.sendErrors == 0 && user.uplink.counters.sendDropped == 0)
  }

  /// An uplink whose far end is gone. It is shut down before it is closed, since a process that another test starts at this
  /// moment has a copy of it until it runs its own program.
  private func withoutPeer(_ type: UnixSocket.PairType) throws -> UplinkUser {
    let (user, far) = try pair(type)
    #expect(shutdown(far.rawValue, Int32(SHUT_RDWR)) == 0)
    return user
  }

  @Test(arguments: [UnixSocket.PairType.datagram, .sequencedPacket])
  func framesToAPeerThatIsGoneAreDroppedAndCounted(type: UnixSocket.PairType) throws {
    let user = try withoutPeer(type)
    #expect(user.send([TestFrame.plain([1]), TestFrame.plain([2])]) == SendOutcome(accepted: 2, blocked: false))
    #expect(user.uplink.counters.sendDropped == 2)
    #expect(user.uplink.counters.framesSent == 0)
  }

  @Test func closedSequencedPacketPeerIsNoticed() throws {
    let user = try withoutPeer(.sequencedPacket)
    #expect(!user.uplink.isGone)
    #expect(user.receive() == nil)
    #expect(user.uplink.isGone)
  }

  @Test(arguments: [0, 1, 10, 80_000])
  func datagramThatIsNoFrameOrTooLongIsCountedAndPassedBy(length: Int) throws {
    let (user, far) = try pair(.datagram)
    let junk = [UInt8](repeating: 1, count: length)
    #expect(Glibc.send(far.rawValue, junk, junk.count, 0) == junk.count)
    let good = TestFrame.plain([3])
    #expect(Glibc.send(far.rawValue, good, good.count, 0) == good.count)
    #expect(user.receive() == nil)
    #expect(user.receive() == good)
    #expect(user.uplink.counters.receiveErrors + user.uplink.counters.receiveTruncated == 1)
  }

  @Test func otherKindsOfDescriptorAreRefused() throws {
    let (near, _) = try UnixSocket.pair(.stream)
    let event = try EventDescriptor.make()
    // Whoever opens it takes it over.
    for fd in [dup(near.rawValue), dup(event.rawValue), 9999] {
      #expect(throws: UplinkError.self) { _ = try UplinkUser("fd:\(fd)") }
    }
  }
}
