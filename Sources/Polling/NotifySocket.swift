// SPDX-License-Identifier: Apache-2.0

import Memory

/// The socket by which a service tells its manager how it is, and gives it descriptors into keeping (sd_notify(3)): `$NOTIFY_SOCKET`.
///
/// A datagram each time, lines of `NAME=value`. Nothing blocks: a manager that does not read is told later, by whoever calls.
public final class NotifySocket {
  /// What became of a datagram.
  public enum Outcome: Equatable {
    case taken
    /// The manager has not read those before; it becomes writable.
    case full
    /// There is nobody any more.
    case failed(SystemError)
  }

  private static let again: Int32 = 11

  private let socket: OwnedDescriptor

  /// `socket`: of datagrams, connected.
  public init(_ socket: OwnedDescriptor) {
    self.socket = socket
    EventDescriptor.setNonBlocking(socket.rawValue)
  }

  /// The one that the environment names; nil: it names none. The variable is gone afterwards.
  public static func fromEnvironment() throws(SystemError) -> NotifySocket? {
    guard let path = Environment.take("NOTIFY_SOCKET") else { return nil }
    return NotifySocket(try UnixSocket.connectDatagrams(path: path))
  }

  public var rawValue: Int32 { socket.rawValue }

  /// Gives a descriptor into keeping, also when its other end has gone (FDPOLL=0): that is for its next owner to find out.
  public func store(_ descriptor: OwnedDescriptor, name: String) -> Outcome {
    send("FDSTORE=1\nFDPOLL=0\nFDNAME=\(name)\n", [descriptor.rawValue])
  }

  /// All descriptors of that name are to be kept no longer.
  public func remove(name: String) -> Outcome { send("FDSTOREREMOVE=1\nFDNAME=\(name)\n", []) }

  /// `READY=1`, `STATUS=...` and the like.
  public func say(_ line: String) -> Outcome { send(line + "\n", []) }

  private func send(_ text: String, _ descriptors: [Int32]) -> Outcome {
    let octets = Array(text.utf8)
    let bytes = ByteRegion.allocate(count: octets.count)
    defer { bytes.deallocate() }
    bytes.copy(from: octets)
    switch UnixSocket.send(socket.rawValue, bytes, descriptors: descriptors) {
    case .bytes: return .taken
    case .wouldBlock: return .full
    case .failed(let error): return .failed(error)
    }
  }
}
