// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling
import Timekeeping

/// The control socket of a vtcp-nic, as it is asked (docs/control.md).
public struct NICControl: Sendable {
  private static let patience = Interval.seconds(60)

  public let path: String

  public init(path: String) { self.path = path }

  /// The lines of the answer.
  public func ask(_ request: String, body: [UInt8] = []) throws(AdministrationError) -> [String] {
    let socket = try connect()
    try send(Array("\(request)\n".utf8) + body, socket)
    var octets: [UInt8] = []
    let room = ByteRegion.allocate(count: 65_536)
    defer { room.deallocate() }
    while let count = try receive(socket, into: room) { octets += room.slice(from: 0, count: count).bytes }
    return try Self.lines(octets, path)
  }

  /// Frames as they come, from here on.
  ///
  /// - Parameter words: as docs/control.md has them.
  public func capture(_ words: [String]) throws(AdministrationError) -> CaptureConnection {
    let socket = try connect()
    try send(Array((["capture"] + words).joined(separator: " ").utf8) + [UInt8(ascii: "\n")], socket)
    let room = ByteRegion.allocate(count: 65_536)
    defer { room.deallocate() }
    var octets: [UInt8] = []
    while octets.count < 3, let count = try receive(socket, into: room) {
      octets += room.slice(from: 0, count: count).bytes
    }
    guard octets.starts(with: "ok\n".utf8) else {
      while let count = try receive(socket, into: room) { octets += room.slice(from: 0, count: count).bytes }
      _ = try Self.lines(octets, path)
      throw .failed("\(path): the answer is none")
    }
    return CaptureConnection(socket, Array(octets.dropFirst(3)))
  }

  private static func lines(_ octets: [UInt8], _ path: String) throws(AdministrationError) -> [String] {
    let all = String(decoding: octets, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    guard octets.last == UInt8(ascii: "\n"), let first = all.first, first == "ok" || first == "error" else {
      throw .failed("\(path): it has ended meanwhile, or is no control socket of a vtcp-nic")
    }
    let rest = all.dropFirst().dropLast().map(String.init)
    guard first == "ok" else { throw .failed(rest.joined(separator: "\n")) }
    return rest
  }

  private func connect() throws(AdministrationError) -> OwnedDescriptor {
    do throws(SystemError) {
      return try UnixSocket.connect(path: path)
    } catch {
      switch error.code {
      case SystemError.noSuchFile, SystemError.connectionRefused:
        throw .notRunning(
          "\(error); give the path that vtcp-nic was started with as --control-socket, of one that runs")
      case SystemError.notPermitted: throw .failed("\(error); be the user who started vtcp-nic, or root")
      default: throw .failed("\(error)")
      }
    }
  }

  private func send(_ octets: [UInt8], _ socket: OwnedDescriptor) throws(AdministrationError) {
    let bytes = ByteRegion.allocate(count: octets.count)
    defer { bytes.deallocate() }
    bytes.copy(from: octets)
    var sent = 0
    while sent < bytes.count {
      switch UnixSocket.send(socket.rawValue, bytes.suffix(from: sent), descriptors: []) {
      case .bytes(let count): sent += count
      case .wouldBlock: try wait(socket, .writable)
      case .failed(let error): throw .failed("\(path): \(error)")
      }
    }
  }

  /// Nil: there is no more.
  private func receive(_ socket: OwnedDescriptor, into room: ByteRegion) throws(AdministrationError) -> Int? {
    while true {
      switch ByteStream.read(socket.rawValue, into: room) {
      case .bytes(let count): return count
      case .wouldBlock: try wait(socket, .readable)
      case .end: return nil
      case .failed(let error): throw .failed("\(path): \(error)")
      }
    }
  }

  private func wait(_ socket: OwnedDescriptor, _ interest: Poller.Interest) throws(AdministrationError) {
    do throws(SystemError) {
      let poller = try Poller(maximumEvents: 1)
      try poller.add(socket.rawValue, interest, token: 0)
      guard poller.wait(timeout: Self.patience) > 0 else {
        throw SystemError(call: "wait for \(path)", code: SystemError.timedOut)
      }
    } catch {
      throw .failed("\(error)")
    }
  }
}
