// SPDX-License-Identifier: Apache-2.0

import CHost
import Memory
public import Polling

/// Where somebody who is watched sends messages: what systemd is at $NOTIFY_SOCKET. Never blocks.
public final class NotifyListener {
  /// systemd takes no longer ones.
  private static let longest = 4096
  /// EAGAIN
  private static let again: Int32 = 11

  private let socket: OwnedDescriptor
  /// Nil: it has no name.
  public let path: String?
  private let room = ByteRegion.allocate(count: NotifyListener.longest)

  public var rawValue: Int32 { socket.rawValue }

  /// One with a name; what was there before and nobody listens at gives way.
  public init(path: String, access: FileAccess) throws(SystemError) {
    self.path = path
    socket = try HostSocket.bindDatagram(path: path, access: access)
    try SystemCalls.check("ask for senders", vtcp_pass_credentials(socket.rawValue))
  }

  private init(_ socket: OwnedDescriptor) {
    self.socket = socket
    path = nil
  }

  deinit {
    room.deallocate()
  }

  /// One without a name, and the end that who is watched is to have.
  public static func pair() throws(SystemError) -> (listener: NotifyListener, sender: OwnedDescriptor) {
    let (ours, theirs) = try UnixSocket.pair(.datagram)
    try SystemCalls.check("ask for senders", vtcp_pass_credentials(ours.rawValue))
    return (NotifyListener(ours), theirs)
  }

  /// The next message; nil: none is there.
  public func next() throws(SystemError) -> NotifyDatagram? {
    do throws(SystemError) {
      return try SystemCalls.receive(socket.rawValue, into: room)
    } catch {
      guard error.code == Self.again else { throw error }
      return nil
    }
  }
}
