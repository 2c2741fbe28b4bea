// SPDX-License-Identifier: Apache-2.0

import FlyingFox
import FlyingSocks
import Foundation
import Polling

/// The sockets that HTTP is served on.
struct APIServer {
  /// Seconds for an answer to begin: more than vtcpd is waited for.
  private static let patience: TimeInterval = 90
  private static let mostRequests = 32

  private let options: APIOptions
  private let token: Token?
  private let log: Log

  init(_ options: APIOptions, _ log: Log) throws {
    self.options = options
    self.log = log
    token = try options.tokenFile.map { try Token(file: $0) }
  }

  /// Serves until SIGTERM or SIGINT.
  func run() async throws {
    signal(SIGPIPE, SIG_IGN)
    let ends = endSignals()
    try removeStale()
    // For its user and group; the group is the directory's if that says so (chmod g+s).
    umask(0o117)
    let congestion = Congestion(limit: Self.mostRequests)
    let local = HTTPGateway(controlSocket: options.controlSocket, token: nil, congestion: congestion)
    var servers = [server(sockaddr_un.unix(path: options.socket), local)]
    if let port = options.port {
      let far = HTTPGateway(controlSocket: options.controlSocket, token: token, congestion: congestion)
      servers.append(server(try sockaddr_in.inet(ip4: "127.0.0.1", port: port), far))
      servers.append(server(sockaddr_in6.loopback(port: port), far))
    }
    defer { unlink(options.socket) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for server in servers {
        group.addTask { try await server.run() }
        try await server.waitUntilListening(timeout: 5)
      }
      log.info(
        "serving on \(options.socket)" + (options.port.map { " and port \($0) of the loopback addresses" } ?? ""))
      _ = try NotifySocket.fromEnvironment()?.say("READY=1")
      group.addTask {
        for await _ in ends { break }
      }
      // The first that is over is the signal, or a server that can't go on.
      try await group.next()
      group.cancelAll()
    }
  }

  private func server(_ address: some SocketAddress, _ gateway: HTTPGateway) -> HTTPServer {
    HTTPServer(
      config: .init(address: address, timeout: Self.patience, logger: .disabled), handler: gateway)
  }

  /// The socket of one that has ended without warning; that of one that runs stays, and so does anything else.
  private func removeStale() throws {
    guard access(options.socket, F_OK) == 0 else { return }
    do throws(SystemError) {
      _ = try UnixSocket.connect(path: options.socket)
    } catch {
      guard error.code == ECONNREFUSED else { throw APIOptionsError("--socket: \(error)") }
      unlink(options.socket)
      return
    }
    throw APIOptionsError("--socket: somebody serves on \(options.socket) already")
  }

  private func endSignals() -> AsyncStream<Void> {
    AsyncStream { continuation in
      Thread.detachNewThread {
        EndSignals.wait()
        continuation.yield()
        continuation.finish()
      }
    }
  }
}
