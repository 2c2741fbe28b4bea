// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import Glibc
import Memory
import Polling
import Testing
import Timekeeping

/// Answers one connection with given octets after it has read `expecting` of them.
private final class Answerer: Sendable {
  let path = "/tmp/vtcp-test-\(getpid())-\(UInt64.random(in: 0 ... .max)).sock"
  private let listener: OwnedDescriptor

  init() throws {
    listener = try UnixSocket.listen(path: path)
  }

  deinit {
    unlink(path)
  }

  /// Returns what was asked. `answer` nil: says nothing, and waits for the other end to go.
  func serve(expecting: Int, answer: [UInt8]?, pieces: Int = 1) throws -> [UInt8] {
    let poller = try Poller(maximumEvents: 1)
    try poller.add(listener.rawValue, .readable, token: 0)
    _ = poller.wait(timeout: .seconds(10))
    guard let socket = try UnixSocket.accept(listener.rawValue) else { return [] }
    poller.remove(listener.rawValue)
    try poller.add(socket.rawValue, .readable, token: 0)
    let room = ByteRegion.allocate(count: 65_536)
    defer { room.deallocate() }
    var asked: [UInt8] = []
    while asked.count < expecting || answer == nil {
      switch ByteStream.read(socket.rawValue, into: room) {
      case .bytes(let count): asked += room.slice(from: 0, count: count).bytes
      case .wouldBlock: guard poller.wait(timeout: .seconds(10)) > 0 else { return asked }
      case .end, .failed: return asked
      }
    }
    guard let answer else { return asked }
    let size = max(1, answer.count / pieces)
    for start in stride(from: 0, to: answer.count, by: size) {
      let piece = Array(answer[start..<min(start + size, answer.count)])
      let region = ByteRegion.allocate(count: piece.count)
      defer { region.deallocate() }
      region.copy(from: piece)
      _ = UnixSocket.send(socket.rawValue, region, descriptors: [])
    }
    return asked
  }
}

@Suite("The client of the control protocol")
struct ClientTests {
  /// The server has a thread of its own, since the client blocks.
  private func asking(
    expecting: Int, answer: [UInt8]?, pieces: Int = 1, patience: Interval = .seconds(10),
    _ body: (ControlClient) throws -> Void
  ) throws -> [UInt8] {
    let answerer = try Answerer()
    let server = try ServerThread { try answerer.serve(expecting: expecting, answer: answer, pieces: pieces) }
    let outcome = Result { try body(ControlClient(path: answerer.path, patience: patience)) }
    let asked = try server.join()
    try outcome.get()
    return asked
  }

  @Test(arguments: [1, 7, 40])
  func requestArrivesAndAnswerComesBackWhole(_ pieces: Int) throws {
    let answer = ControlAnswer(.good, ["nics": [1, 2, 3]])
    let asked = try asking(expecting: 20, answer: answer.octets, pieces: pieces) { client in
      let came = try client.ask(.put, ControlPath(["v1", "policy"]), body: Array("abc".utf8))
      #expect(came == answer)
    }
    #expect(String(decoding: asked, as: UTF8.self) == "PUT /v1/policy 3\nabc")
  }

  @Test func statusOfARefusalIsAnAnswer() throws {
    let refusal = ControlAnswer(.forbidden, ControlFailure("only root"))
    _ = try asking(expecting: 10, answer: refusal.octets) { client in
      let came = try client.ask(.post, ControlPath(["v1", "reload"]))
      #expect(came.failure?.sentence == "only root")
    }
  }

  @Test func streamIsLinesUntilTheEnd() throws {
    _ = try asking(expecting: 10, answer: Array("200 -\none\ntwo\n".utf8), pieces: 5) { client in
      let stream = try #require(try client.follow(ControlPath(["v1", "events"])).stream)
      #expect(try stream.next() == "one")
      #expect(try stream.next() == "two")
      #expect(try stream.next(patience: .seconds(10)) == nil)
    }
  }

  @Test(arguments: ["200 5\nabc", "", "hello\n", "200 -\n"])
  func answerThatIsNotWholeIsAnError(_ answer: String) throws {
    _ = try asking(expecting: 10, answer: Array(answer.utf8)) { client in
      do {
        _ = try client.ask(.get, ControlPath(["v1", "status"]))
        Issue.record("'\(answer)' was taken")
      } catch let error as ControlClientError {
        guard case .broken = error else {
          Issue.record("\(error)")
          return
        }
        #expect(!error.isNotRunning)
      }
    }
  }

  @Test func silenceEndsWithThePatience() throws {
    let start = MonotonicClock.now()
    _ = try asking(expecting: 10, answer: nil, patience: .milliseconds(100)) { client in
      #expect(throws: ControlClientError.timedOut(path: client.path)) {
        try client.ask(.get, ControlPath(["v1", "status"]))
      }
    }
    #expect(MonotonicClock.now() - start < .seconds(20))
  }

  @Test func nobodyThereIsTold() {
    do {
      _ = try ControlClient(path: "/tmp/vtcp-test-none-\(getpid()).sock").ask(.get, ControlPath(["v1", "status"]))
      Issue.record("nobody answered")
    } catch {
      #expect(error.isNotRunning)
    }
  }

  @Test func requestBeyondTheLimitsIsNotSent() {
    let client = ControlClient(path: "/tmp/vtcp-test-none-\(getpid()).sock")
    let long = ControlPath(["v1", String(repeating: "x", count: ControlLimits.line)])
    #expect(throws: ControlClientError.self) { try client.ask(.get, long) }
    let body = [UInt8](repeating: 0, count: ControlLimits.body + 1)
    #expect(throws: ControlClientError.self) { try client.ask(.put, ControlPath(["v1", "policy"]), body: body) }
  }
}
