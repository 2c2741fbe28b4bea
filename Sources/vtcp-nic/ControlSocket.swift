// SPDX-License-Identifier: Apache-2.0

import Datapath
import LargeSend
import Memory
import Polling
import TCPPolicy
import Timekeeping
import VTCP

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
  }

  /// Octets that one turn reads: some fifty rules.
  private static let piece = 4096
  private static let patience = Interval.seconds(10)

  let path: String
  private let nic: VirtualNIC
  /// Nil: the NIC accelerates nothing, and has no policy.
  private let module: VTCPModule?
  /// What `default` of a policy begins with.
  private let fallback: FlowConfiguration
  private let listener: OwnedDescriptor
  private let timer: TimerDescriptor
  private let room = ByteRegion.allocate(count: ControlSocket.piece)
  private let log: Log
  private var connection: OwnedDescriptor?
  private var state = State.idle
  /// Which policy is in force: 1 is that of the start.
  private var revision = 1

  /// For the poller: who connects, who has sent something, and whose time is over.
  var listenerDescriptor: Int32 { listener.rawValue }
  var connectionDescriptor: Int32? { connection?.rawValue }
  var timerDescriptor: Int32 { timer.rawValue }

  /// Listens at `path`, for its owner only.
  init(
    path: String, nic: VirtualNIC, module: VTCPModule?, fallback: FlowConfiguration, log: Log
  ) throws(OptionsError) {
    self.path = path
    self.nic = nic
    self.module = module
    self.fallback = fallback
    self.log = log
    do throws(SystemError) {
      listener = try UnixSocket.listen(path: path, isPrivate: true)
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
    switch ByteStream.read(connection.rawValue, into: room) {
    case .bytes(let count): octets = room.slice(from: 0, count: count).bytes
    case .wouldBlock: return true
    case .end, .failed:
      // Who has asked and says so waits for the answer; and the next one for the end of this, or all connections would be told at once.
      if case .adopting = state { return true }
      return false
    }
    switch state {
    // Nothing is expected any more.
    case .idle, .adopting: return true
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
    return reply("error\nnothing came for \(Self.patience.nanoseconds / 1_000_000_000) s\n")
  }

  /// After each turn. False: the connection is over.
  func turned() -> Bool {
    guard case .adopting = state, let module, !module.isAdopting else { return true }
    return reply("ok\npolicy \(revision) is in force for \(module.flowCount) connections\n")
  }

  /// Ends the connection. The poller is to forget it first.
  func close() {
    timer.disarm()
    connection = nil
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
        return reply("ok\n" + statusOfPolicy + statusOfLargeSends)
      case .largeSend(let setting):
        nic.setLargeSend(setting)
        log.notice("--large-send is \(setting) now")
        let sizes = nic.firstSizes
        return reply("ok\nthe guest is told \(sizes.ipv4) bytes (IPv4), \(sizes.ipv6) (IPv6)\n")
      }
    } catch {
      return reply("error\n\(error)\n")
    }
  }

  private var statusOfPolicy: String {
    guard let module else { return "" }
    let counts =
      "policy \(revision)\nrules \(module.ruleCount)\nclasses \(module.classCount)\nconnections \(module.flowCount)\n"
    // Bits per second; nothing of what is not ruled.
    let rates = [("transmitRate", module.shaping.transmitRate), ("receiveRate", module.shaping.receiveRate)]
    return counts + rates.filter { $0.1 > 0 }.map { "\($0.0) \($0.1)\n" }.joined()
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
