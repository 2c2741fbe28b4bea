// SPDX-License-Identifier: Apache-2.0

import Memory
import Testing

@testable import Polling

@Suite("Descriptors that outlive a process")
struct DescriptorKeeperTests {
  /// What a manager reads: the lines of each datagram, and how many descriptors came with it.
  private struct Manager {
    let socket: OwnedDescriptor
    let theirs: OwnedDescriptor

    init() throws { (socket, theirs) = try UnixSocket.pair(.datagram) }

    var keeper: DescriptorKeeper { DescriptorKeeper(NotifySocket(theirs)) }

    func read() -> [String] {
      let room = ByteRegion.allocate(count: 4096)
      defer { room.deallocate() }
      var found: [String] = []
      while true {
        var descriptors: [OwnedDescriptor] = []
        guard case .bytes(let count) = UnixSocket.receive(socket.rawValue, into: room, descriptors: &descriptors) else {
          return found
        }
        let lines = String(decoding: room.slice(from: 0, count: count).bytes, as: UTF8.self).split(separator: "\n")
        found.append(lines.joined(separator: " ") + (descriptors.isEmpty ? "" : " +\(descriptors.count)"))
      }
    }
  }

  private func stored(_ name: String) -> String { "FDSTORE=1 FDPOLL=0 FDNAME=\(name) +1" }
  private func removed(_ name: String) -> String { "FDSTOREREMOVE=1 FDNAME=\(name)" }

  @Test("Each is given once, in the order in which it came, and READY=1 comes behind them")
  func order() throws {
    let manager = try Manager()
    let keeper = manager.keeper
    keeper.say("READY=1")
    for name in ["b", "a", "c"] { keeper.keep(try EventDescriptor.make(), as: name) }
    #expect(!keeper.isSettled)
    #expect(keeper.flush())
    #expect(keeper.isSettled)
    #expect(manager.read() == [stored("b"), stored("a"), stored("c"), "READY=1"])
    #expect(keeper.flush())
    #expect(manager.read() == [])
  }

  @Test("Another one of a name is given when the one before was taken away, and the same again not at all")
  func replaced() throws {
    let manager = try Manager()
    let keeper = manager.keeper
    let first = try EventDescriptor.make()
    keeper.keep(first, as: "call-0")
    keeper.flush()
    keeper.keep(first, as: "call-0")
    keeper.flush()
    #expect(manager.read() == [stored("call-0")])
    keeper.keep(try EventDescriptor.make(), as: "call-0")
    keeper.keep(nil, as: "never")
    keeper.flush()
    #expect(manager.read() == [removed("call-0"), stored("call-0")])
    keeper.keep(nil, as: "call-0")
    keeper.flush()
    #expect(manager.read() == [removed("call-0")])
  }

  @Test(
    "A manager that does not read gets the rest when it does, and until then nothing is settled; what is over by then is left out"
  )
  func full() throws {
    let manager = try Manager()
    let keeper = manager.keeper
    let names = (0..<1000).map { "kick-\($0)" }
    for name in names { keeper.keep(try EventDescriptor.make(), as: name) }
    #expect(!keeper.flush())
    #expect(!keeper.isSettled && keeper.isWaiting && keeper.failure == nil)
    for name in names.suffix(100) { keeper.keep(nil, as: name) }
    var read: [String] = []
    while !keeper.flush() { read += manager.read() }
    read += manager.read()
    #expect(keeper.isSettled)
    #expect(read == names.prefix(900).map(stored))
  }

  @Test("What the manager had for the process before and is adopted is not given again; the rest is taken away")
  func adopted() throws {
    let manager = try Manager()
    let keeper = DescriptorKeeper(NotifySocket(manager.theirs), stored: ["state", "kick-9", "listener"])
    keeper.adopt(try EventDescriptor.make(), as: "state")
    keeper.adopt(try EventDescriptor.make(), as: "new")
    keeper.forgetOthers()
    keeper.flush()
    #expect(manager.read() == [stored("new"), removed("kick-9"), removed("listener")])
    keeper.forgetAll()
    keeper.flush()
    #expect(manager.read() == [removed("new"), removed("state")])
  }

  @Test("Another manager is told everything; one that is gone, nothing, and that is known")
  func anotherManager() throws {
    let (first, second) = (try Manager(), try Manager())
    let keeper = first.keeper
    keeper.keep(try EventDescriptor.make(), as: "a")
    keeper.flush()
    keeper.keep(try EventDescriptor.make(), as: "b")
    keeper.use(NotifySocket(second.theirs))
    #expect(!keeper.isSettled)
    keeper.flush()
    #expect(second.read() == [stored("a"), stored("b")])
    var third: Manager? = try Manager()
    let theirs = try #require(third).theirs
    keeper.use(NotifySocket(theirs))
    third = nil
    #expect(!keeper.flush())
    #expect(keeper.failure?.code == 111 || keeper.failure?.code == 107)
    #expect(!keeper.hasManager && !keeper.isSettled && !keeper.isWaiting)
  }

  @Test(
    "Numbers and names are as sd_listen_fds(3) has them",
    arguments: [
      ("2", "a:b", ["a 3", "b 4"]), ("3", "a", ["a 3", "unknown 4", "unknown 5"]), ("1", nil, ["unknown 3"]),
      ("0", "a", []), ("-1", "a", []), ("x", "a", []), ("99999999999", "a", []), (nil, "a:b", []),
      ("2", ":", [" 3", " 4"]),
    ] as [(String?, String?, [String])])
  func named(count: String?, names: String?, expected: [String]) {
    #expect(HandedDescriptors.named(count: count, names: names).map { "\($0.name) \($0.number)" } == expected)
  }

  @Test("A name that is there twice stands for nobody, and several of a kind are taken by their numbers")
  func handed() throws {
    func number() throws -> Int32 {
      // Taken over by number, as from another process.
      let (one, two) = try UnixSocket.pair(.stream)
      withExtendedLifetime(two) {}
      return try #require(Duplicate.of(one.rawValue))
    }
    var handed = HandedDescriptors([
      ("twice", try number()), ("twice", try number()), ("uplink-0", try number()), ("uplink-1", try number()),
      ("uplink-3", try number()), ("closed", 9999),
    ])
    #expect(handed.names == ["twice", "uplink-0", "uplink-1", "uplink-3"])
    #expect(!handed.has("twice") && handed.has("uplink-1") && !handed.has("closed"))
    #expect(handed.take("twice") == nil)
    #expect(handed.takeAll("uplink").count == 2)
    #expect(handed.names == ["uplink-3"])
  }
}
