// SPDX-License-Identifier: Apache-2.0

import Arena
import Datapath
import LargeSend
import Memory
import Polling
import TCPPolicy
import Timekeeping
import VTCP
import VhostUser

/// The socket of `--control-socket`, where the administrator changes what we do while we run (docs/control.md).
///
/// ## Theory of operation
///
/// One request a connection, one connection at a time; further ones wait in the backlog. A turn of the datapath reads one `piece` of it
/// and understands that, since frames wait meanwhile; a policy is put together line by line, and told to a few connections a turn. Who
/// asks and does not go on is sent away after `patience`.
final class ControlSocket {
  private enum State {
    case idle
    /// The octets of the first line so far.
    case command([UInt8])
    case policy(PolicyReception)
    /// The policy is in force, and not all connections know.
    case adopting
    /// Connections are drained, until then at the most.
    case draining(Instant)

    /// Nothing is expected from the other end any more.
    var isAnswering: Bool {
      switch self {
      case .adopting, .draining: true
      case .idle, .command, .policy: false
      }
    }
  }

  /// Octets that one turn reads: some fifty rules.
  private static let piece = 4096
  private static let patience = Interval.seconds(10)
  /// Between two looks at what is still held: all connections are asked.
  private static let drainingInterval = Interval.milliseconds(50)

  let path: String
  /// We made the socket's name, and take it away.
  let ownsName: Bool
  private let nic: VirtualNIC
  /// Nil: the NIC accelerates nothing, and has no policy.
  private let module: VTCPModule?
  /// What `default` of a policy begins with.
  private let fallback: FlowConfiguration
  private let listener: OwnedDescriptor
  private let timer: TimerDescriptor
  private let room = ByteRegion.allocate(count: ControlSocket.piece)
  private let succession: Succession
  private let log: Log
  private var connection: OwnedDescriptor?
  /// That came with a request.
  private var descriptors: [OwnedDescriptor] = []
  private var state = State.idle
  /// Which policy is in force: 1 is that of the start.
  private var revision = 1
  /// What the connection was asked for that goes on as a capture.
  private var captureRequest: CaptureRequest?

  /// For the poller: who connects, who has sent something, and whose time is over.
  var listenerDescriptor: Int32 { listener.rawValue }
  var connectionDescriptor: Int32? { connection?.rawValue }
  var timerDescriptor: Int32 { timer.rawValue }

  /// Listens at `path`, for its owner only; or goes on where whoever started us listens.
  init(
    path: String, nic: VirtualNIC, module: VTCPModule?, fallback: FlowConfiguration, succession: Succession,
    log: Log
  ) throws(OptionsError) {
    self.path = path
    self.nic = nic
    self.module = module
    self.fallback = fallback
    self.succession = succession
    self.log = log
    do throws(SystemError) {
      if let handed = succession.takeControl() {
        listener = handed
        ownsName = false
      } else {
        listener = try UnixSocket.listen(path: path, isPrivate: true)
        ownsName = true
      }
      timer = try TimerDescriptor()
    } catch {
      throw OptionsError("--control-socket: \(error)")
    }
  }

  deinit {
    room.deallocate()
  }

  /// Takes the next connection; nil: there is none.
  func accept() -> Int32? {
    guard connection == nil else { return nil }
    do throws(SystemError) {
      guard let socket = try UnixSocket.accept(listener.rawValue) else { return nil }
      connection = socket
      state = .command([])
      timer.arm(after: Self.patience)
      return socket.rawValue
    } catch {
      log.error("--control-socket: \(error)")
      return nil
    }
  }

  /// Something has come, or the other end is gone. False: the connection is over, see `close`.
  func ready() -> Bool {
    guard let connection else { return false }
    let octets: [UInt8]
    switch UnixSocket.receive(connection.rawValue, into: room, descriptors: &descriptors) {
    case .bytes(let count): octets = room.slice(from: 0, count: count).bytes
    case .wouldBlock: return true
    case .truncated: return reply("error\na descriptor was lost on the way; is the limit of open files too low?\n")
    case .closed, .failed:
      // Who has asked and says so waits for the answer; and the next one for the end of this, or all connections would be told at once.
      if case .adopting = state { return true }
      return false
    }
    switch state {
    // Nothing is expected any more.
    case .idle, .adopting, .draining: return true
    case .command(let before): return command(before + octets)
    case .policy(var reception):
      reception.take(octets)
      return go(on: reception)
    }
  }

  /// Time is over for who does not go on. False: the connection is over.
  func timeout() -> Bool {
    timer.drain()
    if case .adopting = state { return true }
    if case .draining(let end) = state { return goOnDraining(until: end) }
    return reply("error\nnothing came for \(Self.patience.nanoseconds / 1_000_000_000) s\n")
  }

  /// After each turn. False: the connection is over.
  func turned() -> Bool {
    guard case .adopting = state, let module, !module.isAdopting else { return true }
    return reply("ok\npolicy \(revision) is in force for \(module.flowCount) connections\n")
  }

  /// The connection whose request was for a capture, which lives on without us; nil: it was another. For when it is over here.
  func takeCapture() -> (CaptureRequest, OwnedDescriptor)? {
    guard let captureRequest, let connection else { return nil }
    self.captureRequest = nil
    return (captureRequest, connection)
  }

  /// Ends the connection. The poller is to forget it first.
  func close() {
    timer.disarm()
    connection = nil
    descriptors = []
    state = .idle
  }

  private func command(_ octets: [UInt8]) -> Bool {
    guard let end = octets.firstIndex(of: UInt8(ascii: "\n")) else {
      state = .command(octets)
      return octets.count < ControlRequest.longest || reply("error\na request is one line, and a short one\n")
    }
    do throws(ControlError) {
      switch try ControlRequest(parsing: octets[..<end].prefix(ControlRequest.longest)) {
      case .policy(let byteCount):
        guard module != nil else {
          throw ControlError("this NIC accelerates no connections; start it with --vtcp snoop or --vtcp early")
        }
        var reception = PolicyReception(byteCount: byteCount, fallback: fallback)
        reception.take(octets[(end + 1)...])
        return go(on: reception)
      case .status:
        return reply("ok\n" + statusOfPolicy + statusOfLargeSends + statusOfSuccession)
      case .capture(let request):
        captureRequest = request
        return false
      case .largeSend(let setting):
        nic.setLargeSend(setting)
        log.notice("--large-send is \(setting) now")
        let sizes = nic.firstSizes
        return reply("ok\nthe guest is told \(sizes.ipv4) bytes (IPv4), \(sizes.ipv6) (IPv6)\n")
      case .keeper: return try setKeeper()
      case .handOver:
        guard succession.handOver() else {
          throw ControlError("nobody keeps the descriptors; start vtcp-nic with NOTIFY_SOCKET, or ask for keeper")
        }
        return reply("ok\nends, and the next process goes on\n")
      case .drain(let time):
        nic.isDraining = true
        return goOnDraining(until: MonotonicClock.now() + time)
      case .endDraining:
        nic.isDraining = false
        return reply("ok\ndata are acknowledged early again\n")
      }
    } catch {
      return reply("error\n\(error)\n")
    }
  }

  private func setKeeper() throws(ControlError) -> Bool {
    guard descriptors.count == 1 else {
      throw ControlError(
        "keeper: one descriptor comes with it, a connected socket of datagrams, not \(descriptors.count)")
    }
    guard let type = UnixSocket.type(of: descriptors[0].rawValue), type == .datagram else {
      throw ControlError("keeper: the descriptor that came with it is no unix socket of datagrams")
    }
    succession.use(NotifySocket(descriptors[0]))
    return reply("ok\neverything is given to the new keeper, which is told READY=1 at the end\n")
  }

  /// Answers when nothing is held that was acknowledged, or the time is over.
  private func goOnDraining(until end: Instant) -> Bool {
    let now = MonotonicClock.now()
    // What is owned is held; and if something is held, which is quickly known, it is worth asking.
    let owned = module.map { $0.heldChunks == 0 ? 0 : $0.ownedOctets } ?? 0
    if owned == 0 { return reply("ok\nnothing is held that was acknowledged\n") }
    guard now < end else { return reply("error\n\(owned) octets are held still\n") }
    state = .draining(end)
    timer.arm(after: min(Self.drainingInterval, end - now))
    return true
  }

  private var statusOfSuccession: String {
    "process \(Process.identifier)\nkept \(succession.isKept ? 1 : 0)\ngeneration \(succession.generation)\n"
      + "resumed \(succession.keeper.resumedCount)\ndraining \(nic.isDraining ? 1 : 0)\n"
      + (module.map { "held \($0.heldChunks * ChunkPool.chunkBytes)\n" } ?? "")
  }

  private var statusOfPolicy: String {
    guard let module else { return "" }
    let counts =
      "policy \(revision)\nrules \(module.ruleCount)\nclasses \(module.classCount)\nconnections \(module.flowCount)\n"
    // Nothing of what is not ruled. Rates are bits per second.
    let rules = [
      ("connectionLimit", module.flowLimit < module.flowRoom ? module.flowLimit : 0),
      ("transmitRate", module.shaping.transmitRate), ("receiveRate", module.shaping.receiveRate),
    ]
    return counts + rules.filter { $0.1 > 0 }.map { "\($0.0) \($0.1)\n" }.joined()
  }

  /// Nothing without an administrator's word, if there is something else to say.
  private var statusOfLargeSends: String {
    guard nic.largeSend != .off || nic.firstSizesTaken != nil || module == nil else { return "" }
    let told =
      "largeSendMultiple \(nic.firstSizeMultiple)\nlargeSendIPv4 \(nic.firstSizes.ipv4)\nlargeSendIPv6 \(nic.firstSizes.ipv6)\n"
    guard let taken = nic.firstSizesTaken else { return told }
    return told + "largeSendTakenIPv4 \(taken.ipv4)\nlargeSendTakenIPv6 \(taken.ipv6)\n"
  }

  private func go(on reception: PolicyReception) -> Bool {
    guard let module else { return false }
    guard reception.missing == 0 else {
      state = .policy(reception)
      timer.arm(after: Self.patience)
      return true
    }
    do throws(PolicyTextErrors) {
      let policy = try reception.finish()
      module.beginAdopting(policy, flow: fallback, now: MonotonicClock.now())
      revision += 1
      state = .adopting
      log.notice("policy \(revision) is in force: \(module.ruleCount) rules, \(module.classCount) classes")
      return true
    } catch {
      log.notice("a policy was refused, \(revision) stays in force: \(error.errors[0])")
      return reply("error\n" + error.errors.map { "\($0)\n" }.joined())
    }
  }

  /// Always false: it is the last word of a connection. It is short, and finds room.
  private func reply(_ text: String) -> Bool {
    guard let connection else { return false }
    let octets = Array(text.utf8)
    let bytes = ByteRegion.allocate(count: octets.count)
    defer { bytes.deallocate() }
    bytes.copy(from: octets)
    _ = UnixSocket.send(connection.rawValue, bytes, descriptors: [])
    // What was not read would keep the other end from reading this.
    _ = ByteStream.read(connection.rawValue, into: room)
    return false
  }
}
