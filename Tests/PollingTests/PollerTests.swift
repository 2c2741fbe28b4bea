// SPDX-License-Identifier: Apache-2.0

import Glibc
import Memory
import Polling
import Testing
import Timekeeping

@Suite("Poller: what is ready, and for how long to wait")
struct PollerTests {
  @Test func signalledEventIsReportedWithItsTokenUntilDrained() throws {
    let poller = try Poller(maximumEvents: 8)
    let event = try EventDescriptor.make()
    try poller.add(event.rawValue, .readable, token: 0xFFFF_0000_0000_0007)
    #expect(poller.wait(timeout: .zero) == 0)
    EventDescriptor.signal(event.rawValue)
    EventDescriptor.signal(event.rawValue)
    #expect(poller.wait(timeout: nil) == 1)
    #expect(poller.event(0).token == 0xFFFF_0000_0000_0007)
    #expect(poller.event(0).ready == .readable)
    EventDescriptor.drain(event.rawValue)
    #expect(poller.wait(timeout: .zero) == 0)
  }

  @Test func edgeTriggeredEventIsReportedOnce() throws {
    let poller = try Poller(maximumEvents: 8)
    let event = try EventDescriptor.make()
    try poller.add(event.rawValue, [.readable, .edgeTriggered], token: 1)
    EventDescriptor.signal(event.rawValue)
    #expect(poller.wait(timeout: .zero) == 1)
    #expect(poller.wait(timeout: .zero) == 0)
  }

  @Test func modifiedInterestReplacesTheOld() throws {
    let poller = try Poller(maximumEvents: 8)
    let event = try EventDescriptor.make()
    try poller.add(event.rawValue, .readable, token: 1)
    try poller.modify(event.rawValue, .writable, token: 2)
    #expect(poller.wait(timeout: .zero) == 1)
    #expect(poller.event(0).token == 2)
    #expect(poller.event(0).ready == .writable)
  }

  @Test func removedDescriptorIsSilentAndRemovingTwiceIsHarmless() throws {
    let poller = try Poller(maximumEvents: 8)
    let event = try EventDescriptor.make()
    try poller.add(event.rawValue, .readable, token: 1)
    EventDescriptor.signal(event.rawValue)
    poller.remove(event.rawValue)
    poller.remove(event.rawValue)
    #expect(poller.wait(timeout: .zero) == 0)
  }

  @Test func waitEndsAfterItsTimeAndNotBefore() throws {
    let poller = try Poller(maximumEvents: 1)
    let start = MonotonicClock.now()
    #expect(poller.wait(timeout: .microseconds(1500)) == 0)
    #expect(MonotonicClock.now() - start >= .microseconds(1500))
  }

  @Test func timerMakesItsDescriptorReadable() throws {
    let poller = try Poller(maximumEvents: 1)
    let timer = try TimerDescriptor()
    try poller.add(timer.rawValue, .readable, token: 3)
    timer.arm(after: .seconds(3600))
    #expect(poller.wait(timeout: .zero) == 0)
    timer.arm(after: .zero)
    #expect(poller.wait(timeout: .seconds(10)) == 1)
    timer.drain()
    #expect(poller.wait(timeout: .zero) == 0)
    timer.arm(after: .zero)
    timer.disarm()
    #expect(poller.wait(timeout: .zero) == 0)
  }

  @Test func drainAndSignalOfABrokenDescriptorReturn() throws {
    let (near, far) = try UnixSocket.pair(.stream)
    EventDescriptor.drain(near.rawValue)
    EventDescriptor.signal(-1)
    withExtendedLifetime(far) {}
  }

  @Test func descriptorIsClosedWithItsOwnerAndThePeerSeesAHangup() throws {
    let poller = try Poller(maximumEvents: 1)
    let near = try nearEndOfAClosedPair()
    try poller.add(near.rawValue, [], token: 1)
    #expect(poller.wait(timeout: .zero) == 1)
    #expect(poller.event(0).ready.contains(.hangup))
  }

  /// The far end's only owner goes with the call.
  private func nearEndOfAClosedPair() throws -> OwnedDescriptor {
    try UnixSocket.pair(.stream).0
  }

  @Test func signalOfThisThreadIsReadInsteadOfDelivered() throws {
    let signals = try SignalDescriptor()
    #expect(signals.next() == nil)
    raise(SIGUSR1)
    #expect(signals.next() == SignalDescriptor.user1)
    #expect(signals.next() == nil)
  }

  @Test func errorSaysWhatFailedAndWhy() {
    let error = SystemError(call: "bind /run/x", code: EADDRINUSE)
    #expect(error.description == "bind /run/x: Address already in use")
  }
}
