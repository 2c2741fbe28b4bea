// SPDX-License-Identifier: Apache-2.0

import Arena
import Datapath
import Memory
import Polling
import Timekeeping
import Uplinks
import VhostUser
import Virtio

/// A NIC and the front-end that an input plays, over a real socket.
final class FrontEndScript {
  nonisolated(unsafe) static let poller = try? Poller(maximumEvents: 64)
  private static let stateToken: UInt64 = 4
  private static let queueCount = VirtualNIC.queueCount(queuePairs: 2)
  private static let arenaMemory = ByteRegion.allocate(count: Arena.byteCount(queueCount: queueCount))
  private static let buffer = ByteRegion.allocate(count: 65536)

  let stock = DescriptorStock.shared
  private let poller: Poller
  let nic: VirtualNIC
  private var backEnd: BackEnd?
  private var socket: OwnedDescriptor?
  /// What is to be sent next, and with which descriptors.
  var outgoing: [UInt8] = []
  var descriptors: [Int32] = []
  /// How many more messages may be sent by repeating one: an input that does nothing else takes seconds.
  var repeatsLeft = 256
  /// Requests that were sent whole and not answered, oldest first; nil: it can't be known what the stream means.
  private var asked: [UInt32]? = []
  private var replies: [UInt8] = []
  private var faults = MemoryGuard.faultCount
  private var time = Instant(nanoseconds: 1_000_000_000)

  init(_ input: inout InputReader) throws {
    guard let poller = Self.poller else { throw Finding("there is no epoll") }
    self.poller = poller
    Self.arenaMemory.fill(with: 0)
    nic = try VirtualNIC(
      configuration: VirtualNICConfiguration(
        queuePairs: 2, mtu: input.byte() & 1 != 0 ? 1500 : nil, macAddress: nil),
      uplink: Uplink.open(.null, queuePairs: 1, mtu: nil),
      arena: Arena(over: Self.arenaMemory, queueCount: Self.queueCount), poller: poller, seed: 1,
      log: Log(level: nil, prefix: ""))
    try connect()
  }

  private func connect() throws {
    let (near, far) = try UnixSocket.pair(.stream)
    socket = far
    backEnd = BackEnd(
      connection: near, device: nic, memory: nic.memory, vringCount: Self.queueCount, queueLimit: 4,
      poller: poller, stateToken: Self.stateToken, offersDeviceState: true,
      log: Log(level: nil, prefix: ""))
    outgoing = []
    descriptors = []
    asked = []
    replies = []
  }

  func reconnect() throws {
    try disconnect()
    try connect()
  }

  private func disconnect() throws(Finding) {
    backEnd?.close()
    backEnd = nil
    socket = nil
    try Finding.require(nic.memory.regionCount == 0, "memory is left when the front-end has gone")
  }

  /// The front-end goes; nothing of it is left.
  func finish() throws {
    try send()
    try readReplies(64)
    try disconnect()
    EventDescriptor.signal(stock.kick)
    try Finding.require(poller.wait(timeout: .zero) == 0, "a kick is still watched when the front-end has gone")
  }

  // MARK: - The stream

  /// A request that is whole, as it will be sent.
  func willSend(_ request: UInt32, isUnderstood: Bool) {
    if isUnderstood { asked?.append(request) } else { asked = nil }
  }

  /// Sends what is to be sent, or its first `count` octets, and lets the back-end take it.
  func send(first count: Int = .max) throws {
    guard let socket, !outgoing.isEmpty else { return }
    let length = min(count, outgoing.count, 32768)
    guard length > 0 else { return }
    let region = Self.buffer.slice(from: 0, count: length)
    region.copy(from: Array(outgoing[..<length]))
    switch UnixSocket.send(socket.rawValue, region, descriptors: descriptors) {
    case .bytes(let sent): outgoing.removeFirst(sent)
    case .wouldBlock: break
    case .failed: outgoing = []
    }
    descriptors = []
    try takeMessages()
  }

  /// As the server does.
  private func takeMessages() throws {
    guard let backEnd else { return }
    switch backEnd.messagesArrived() {
    case .goOn: break
    case .closed, .broken: try reconnect()
    }
    try Finding.require(nic.memory.regionCount <= GuestMemory.maximumRegions, "there are more regions than slots")
  }

  func readReplies(_ count: Int) throws {
    var none: [OwnedDescriptor] = []
    for _ in 0..<count {
      guard let socket,
        case .bytes(let length) = UnixSocket.receive(socket.rawValue, into: Self.buffer, descriptors: &none)
      else { break }
      replies += Self.buffer.slice(from: 0, count: length).bytes
      try checkReplies()
    }
    try takeMessages()
  }

  private func checkReplies() throws(Finding) {
    while replies.count >= 12 {
      func word(_ at: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(replies[at + $1]) << (8 * UInt32($1)) } }
      let (request, flags, size) = (word(0), word(4), Int(word(8)))
      try Finding.require(flags == 5 && size <= 4096, "a reply has flags \(flags) and \(size) octets")
      guard replies.count >= 12 + size else { return }
      replies.removeFirst(12 + size)
      guard let known = asked else { continue }
      guard let place = known.firstIndex(of: request) else {
        throw Finding("there is a reply to request \(request), which nobody has made")
      }
      asked = Array(known[(place + 1)...])
    }
  }

  // MARK: - The datapath

  /// What the program's loop does `count` times.
  func turn(_ count: Int) throws {
    EventDescriptor.signal(stock.kick)
    for _ in 0..<count {
      for index in 0..<poller.wait(timeout: .zero) {
        let token = poller.event(index).token
        if let event = VirtualNIC.Event(token: token) { nic.ready(event) }
        if token == Self.stateToken { backEnd?.stateTransferReady() }
      }
      time = time + .microseconds(100)
      if nic.needsPolling { _ = nic.hasWork() }
      let isMoreToDo = nic.turn(now: time)
      if !isMoreToDo { _ = nic.prepareToSleep() }
      guard MemoryGuard.faultCount == faults else {
        faults = MemoryGuard.faultCount
        return try reconnect()
      }
    }
  }
}
