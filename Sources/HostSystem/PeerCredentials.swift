// SPDX-License-Identifier: Apache-2.0

public import Polling

/// Who is at the other end of a unix socket, by the kernel's word (SO_PEERCRED): as they were when they connected.
public struct PeerCredentials: Equatable, Sendable {
  public let process: Int32
  public let user: UInt32
  public let group: UInt32

  public init(process: Int32, user: UInt32, group: UInt32) {
    self.process = process
    self.user = user
    self.group = group
  }

  public init(of socket: OwnedDescriptor) throws(SystemError) {
    self = try SystemCalls.peer(socket.rawValue)
  }
}
