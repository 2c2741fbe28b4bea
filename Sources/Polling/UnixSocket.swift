// SPDX-License-Identifier: Apache-2.0

import CLinux
public import Memory

/// Unix stream sockets with descriptors in their messages. Nothing here blocks.
public enum UnixSocket {
  /// What one receive brought.
  public enum ReceiveResult: Equatable, Sendable {
    case bytes(Int)
    /// So many bytes, but the kernel could not give us all descriptors (MSG_CTRUNC); those that came are closed.
    case truncated(Int)
    case wouldBlock
    /// The peer will send no more.
    case closed
    case failed(SystemError)
  }

  /// What one send took: possibly fewer bytes than given. Descriptors go with the first byte.
  public enum SendResult: Equatable, Sendable {
    case bytes(Int)
    case wouldBlock
    case failed(SystemError)
  }

  /// The errno values that decide something here; Linux numbers, the same on all its 64-bit architectures that matter.
  private static let interrupted: Int64 = -4
  private static let again: Int64 = -11
  private static let connectionAborted: Int64 = -103

  /// The listening socket at `path`, backlog 4, access by the umask, or for its owner only if it is private.
  ///
  /// A socket that nobody answers on is a dead predecessor's and is replaced. Anything else stays: EADDRINUSE when
  /// somebody answers, ENOTSOCK when the path is not a socket, ENAMETOOLONG above 107 bytes.
  public static func listen(path: String, isPrivate: Bool = false) throws(SystemError) -> OwnedDescriptor {
    try OwnedDescriptor("listen on \(path)", vtcp_unix_listen(path, 4, isPrivate ? 1 : 0))
  }

  /// Takes away the name of a socket that we listened on.
  public static func removeName(_ path: String) throws(SystemError) {
    try SystemCalls.check("remove \(path)", vtcp_unlink(path))
  }

  /// The next connection; nil when nobody waits. Not blocking.
  public static func accept(_ listener: Int32) throws(SystemError) -> OwnedDescriptor? {
    let fd = vtcp_unix_accept(listener)
    if Int64(fd) == again || Int64(fd) == interrupted || Int64(fd) == connectionAborted { return nil }
    return try OwnedDescriptor("accept", fd)
  }

  /// A connection to the socket at `path`. Not blocking.
  public static func connect(path: String) throws(SystemError) -> OwnedDescriptor {
    try OwnedDescriptor("connect to \(path)", vtcp_unix_connect(path))
  }

  /// A socket of datagrams connected to the one at `path`; a path that begins with `@` is an abstract name. Not blocking.
  public static func connectDatagrams(path: String) throws(SystemError) -> OwnedDescriptor {
    try OwnedDescriptor("connect to \(path)", vtcp_unix_connect_datagrams(path))
  }

  /// Whether `fd` is a socket that listens (SO_ACCEPTCONN).
  public static func isListening(_ fd: Int32) -> Bool {
    vtcp_socket_is_listening(fd) > 0
  }

  /// Says to the other end that nothing more will come; what it sends can still be read.
  public static func endSending(_ fd: Int32) {
    _ = vtcp_socket_end_sending(fd)
  }

  /// The type of a connected pair, for programs that talk to themselves.
  public enum PairType: Int32, Sendable {
    case stream = 1
    case datagram = 2
    case sequencedPacket = 5
  }

  /// The type of a unix socket; nil: it is none, or of another type.
  public static func type(of fd: Int32) -> PairType? { PairType(rawValue: vtcp_unix_type(fd)) }

  /// Two sockets connected to each other. Not blocking.
  public static func pair(_ type: PairType) throws(SystemError) -> (OwnedDescriptor, OwnedDescriptor) {
    try SystemCalls.socketPair(type: type.rawValue)
  }

  /// One `recvmsg` into `region`, which must not be empty; descriptors that came are appended, close-on-exec.
  public static func receive(_ fd: Int32, into region: ByteRegion, descriptors: inout [OwnedDescriptor])
    -> ReceiveResult
  {
    precondition(region.count > 0, "nowhere to receive into")
    var truncated = false
    let count = SystemCalls.receive(fd, into: region, descriptors: &descriptors, truncated: &truncated)
    if count == again || count == interrupted { return .wouldBlock }
    guard count >= 0 else { return .failed(SystemError(call: "recvmsg", code: Int32(clamping: -count))) }
    guard count > 0 else { return .closed }
    return truncated ? .truncated(Int(count)) : .bytes(Int(count))
  }

  /// One `sendmsg` of `bytes`, which must not be empty, with at most 253 descriptors.
  public static func send(_ fd: Int32, _ bytes: ByteRegion, descriptors: [Int32]) -> SendResult {
    precondition(bytes.count > 0, "nothing to send")
    let count = SystemCalls.send(fd, bytes, descriptors: descriptors)
    if count == again || count == interrupted { return .wouldBlock }
    guard count >= 0 else { return .failed(SystemError(call: "sendmsg", code: Int32(clamping: -count))) }
    return .bytes(Int(count))
  }
}
