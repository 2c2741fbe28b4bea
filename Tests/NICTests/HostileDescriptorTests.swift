// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension NICTests {
  /// Kick, call and error descriptors that are none, are full, or would have us wait.
  @Suite struct HostileDescriptorTests {
    enum Kind: String, CaseIterable, Sendable {
      case regularFile, directory, nullDevice, socket, closedSocket, pipe, deadPipe, fullPipe, fullEvent, epoll,
        readOnly
    }

    /// A descriptor of that kind, and what must live as long as it.
    private func make(_ kind: Kind) throws -> (Descriptor, [Descriptor]) {
      switch kind {
      case .regularFile: return (try Descriptor.memory("odd", size: 4096), [])
      case .directory: return (try Descriptor(open("/", O_RDONLY | O_CLOEXEC)), [])
      case .nullDevice: return (try Descriptor(open("/dev/null", O_RDWR | O_CLOEXEC)), [])
      case .socket, .closedSocket:
        let (one, other) = try Descriptor.socketPair(Int32(SOCK_STREAM.rawValue))
        return (one, kind == .socket ? [other] : [])
      case .pipe, .deadPipe, .fullPipe:
        let (reader, writer) = try Descriptor.pipe()
        if kind == .fullPipe {
          try setBlocking(writer, false)
          let octets = [UInt8](repeating: 0, count: 65536)
          while write(writer.number, octets, octets.count) > 0 {}
          while write(writer.number, octets, 1) > 0 {}
        }
        // Blocking, as pipes are made.
        try setBlocking(writer, true)
        return (writer, kind == .deadPipe ? [] : [reader])
      case .fullEvent:
        let event = try Event()
        var most: UInt64 = .max - 1
        guard write(event.number, &most, 8) == 8 else { throw TestFailure("errno \(errno)") }
        try setBlocking(event.descriptor, true)
        return (event.descriptor, [])
      case .epoll: return (try Descriptor.epoll(), [])
      case .readOnly: return (try Descriptor(open("/proc/self/status", O_RDONLY | O_CLOEXEC)), [])
      }
    }

    private func setBlocking(_ descriptor: Descriptor, _ isBlocking: Bool) throws {
      let flags = fcntl(descriptor.number, F_GETFL)
      guard fcntl(descriptor.number, F_SETFL, isBlocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK) == 0 else {
        throw TestFailure("fcntl: errno \(errno)")
      }
    }

    @Test(
      "Whatever comes as a kick, call or error descriptor, nothing waits, and what is refused is told in a line",
      arguments: [Request.setVringKick, .setVringCall, .setVringError], Kind.allCases)
    func odd(request: Request, kind: Kind) throws {
      try Rig.run(Rig.Shape(options: .init(size: 256), pairs: 2)) { (rig) throws in
        let (descriptor, others) = try make(kind)
        try withExtendedLifetime(others) {
          let payload = FrontEnd.octets(UInt64(1))
          let answer = try rig.frontEnd.acknowledgement(request, payload: payload, descriptors: [descriptor.number])
          switch kind {
          case .regularFile, .directory, .nullDevice, .readOnly: #expect(answer != 0)
          case .socket, .closedSocket, .pipe, .deadPipe, .fullPipe, .fullEvent, .epoll: break
          }
          let refused = answer == 0 ? 0 : 1
          #expect(try rig.counter("refused", of: "front-end") == refused)
          #expect(rig.lines(with: "setVring\(name(request)) was not carried out") == refused)
          try serve(rig, request)
          if request == .setVringError {
            rig.guest.transmitQueues[0].setAvailableIndex(9999)
            rig.guest.transmitQueues[0].kick.signal()
            #expect(rig.nic.errors.waitForLine(containing: "queue 1 stopped"))
          }
        }
        for event in [Request.setVringKick, .setVringCall, .setVringError] {
          let queue = rig.guest.transmitQueues[0]
          try rig.frontEnd.setVringEvent(
            event, 1, event == .setVringKick ? queue.kick : event == .setVringCall ? queue.call : queue.error)
        }
        try rig.expectRecovery()
      }
    }

    /// The message's name in the log.
    private func name(_ request: Request) -> String {
      request == .setVringKick ? "Kick" : request == .setVringCall ? "Call" : "Err"
    }

    /// The queue with the odd descriptor is used, as far as its driver still can; the other pair works.
    private func serve(_ rig: Rig, _ request: Request) throws {
      let queue = rig.guest.transmitQueues[0]
      for number in 0..<40 {
        try rig.guest.enqueue(Rig.frame(number))
        if request != .setVringKick { queue.kick.signal() }
      }
      if request != .setVringKick { for number in 0..<40 { #expect(try next(rig) == number) } }
      try rig.guest.transmit(Rig.frame(2000), pair: 1)
      while try next(rig) != 2000 {}
      try rig.guest.reclaim(1, pair: 1)
    }

    private func next(_ rig: Rig) throws -> Int { try Rig.number(of: rig.network.receive().frame) }
  }
}
