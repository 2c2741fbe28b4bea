// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import HostSystem
import Memory
import Polling
import Timekeeping

/// The control socket: so many connections, so many octets of requests, and no more of either; who asks for changes must have the right to.
final class ControlServer {
  private static let backlog: Int32 = 64
  private static let mostConnections = 128
  /// Of one user who may not change anything.
  private static let mostOfOne = 32
  /// Of all requests that are being received.
  private static let mostBodyOctets = 32 << 20
  /// Of one who may not change anything: a policy to check.
  private static let mostReaderBody = 1 << 20

  let path: String
  /// For whoever reads or writes just now.
  let room = ByteRegion.allocate(count: 65_536)
  private let listener: OwnedDescriptor
  private let loop: EventLoop
  private let access: AccessRule
  private let log: Log
  private let handler: (ServiceRequest, [UInt8], ControlReply) -> Void
  private var watch: EventLoop.Watch?
  private var retry: EventLoop.Watch?
  private var connections: [ObjectIdentifier: ControlConnection] = [:]

  /// - Parameter handler: answers a request that is permitted, by the reply, now or later.
  init(
    path: String, group: UInt32?, access: AccessRule, loop: EventLoop, log: Log,
    handler: @escaping (ServiceRequest, [UInt8], ControlReply) -> Void
  ) throws(SystemError) {
    self.path = path
    self.loop = loop
    self.access = access
    self.log = log
    self.handler = handler
    listener = try HostSocket.listen(path: path, backlog: Self.backlog, access: FileAccess(mode: 0o660, group: group))
    try listen()
  }

  deinit {
    room.deallocate()
  }

  private func listen() throws(SystemError) {
    watch = try loop.watch(listener.rawValue, .readable) { [weak self] _ in self?.accept() }
  }

  private func accept() {
    do throws(SystemError) {
      while connections.count < Self.mostConnections, let socket = try UnixSocket.accept(listener.rawValue) {
        let peer = try PeerCredentials(of: socket)
        let connection = try ControlConnection(socket, peer: peer, server: self, loop: loop)
        connections[ObjectIdentifier(connection)] = connection
        let ofThem = connections.values.count { $0.peer.user == peer.user }
        if ofThem > Self.mostOfOne, !access.administrators.contains(peer.user) {
          connection.answer(
            ControlAnswer(.unavailable, ControlFailure("user \(peer.user) has \(Self.mostOfOne) connections already")))
        }
      }
    } catch {
      // Most likely too many files are open: who waits would be reported without end.
      log.error("the control socket: \(error)")
      watch = nil
      retry = loop.after(.seconds(1)) { [weak self] in self?.listenAgain() }
    }
    // Others wait in the backlog until somebody goes.
    if connections.count >= Self.mostConnections { watch = nil }
  }

  func closed(_ connection: ControlConnection) {
    connections[ObjectIdentifier(connection)] = nil
    listenAgain()
  }

  private func listenAgain() {
    guard watch == nil else { return }
    do throws(SystemError) { try listen() } catch { log.error("the control socket: \(error)") }
  }

  func hasRoom(for octets: Int, _ peer: PeerCredentials) -> Bool {
    guard octets <= Self.mostReaderBody || access.administrators.contains(peer.user) else { return false }
    return connections.values.reduce(octets) { $0 + $1.bodyOctets } <= Self.mostBodyOctets
  }

  func handle(_ line: ControlRequestLine, _ body: [UInt8], _ reply: ControlReply) {
    do throws(ServiceError) {
      let request = try ServiceRequest(line)
      guard access.permits(request, user: reply.user) else {
        throw ServiceError(
          .forbidden,
          "user \(reply.user) may read here, and change nothing: ask as root, or be named in control.administrators of vtcpd.yaml"
        )
      }
      handler(request, body, reply)
    } catch {
      reply.send(error)
    }
  }

  /// Tells all readers of events.
  func broadcast(_ line: String) {
    // Who is too slow goes while they are told.
    for connection in Array(connections.values) where connection.isStream { connection.streamLine(line) }
  }
}
