// SPDX-License-Identifier: Apache-2.0
import CTestSupport
import Glibc

/// A mock QEMU: the front-end's end of a vhost-user connection and the guest's memory.
///
/// Written from the vhost-user specification and from recordings of QEMU, not from the back-end under test. The methods
/// here are the message layer; `FrontEnd+Requests` has one per request, `FrontEnd+Start` the sequences of real QEMUs.
public final class FrontEnd {
  /// One message as it travels: 12 octets of header, payload, descriptors.
  public struct Message: Sendable {
    public var request: UInt32
    public var flags: UInt32
    public var payload: [UInt8]
    public var descriptors: [Descriptor] = []

    /// The payload as the u64 that most replies are.
    public var number: UInt64? {
      guard payload.count == 8 else { return nil }
      return payload.enumerated().reduce(0) { $0 | UInt64($1.element) << (8 * UInt64($1.offset)) }
    }
  }

  /// Header flags: version 1, REPLY and NEED_REPLY.
  public static let version: UInt32 = 1
  public static let reply: UInt32 = 4
  public static let needReply: UInt32 = 8

  public let ram: GuestRAM
  public private(set) var socket: Descriptor
  /// Called before each message is sent.
  public var beforeMessage: (() throws -> Void)?
  /// Our end of SET_BACKEND_REQ_FD, once sent.
  public var backEndChannel: Descriptor?

  public var features: UInt64 = 0
  public var protocolFeatures: UInt64 = 0

  public init(socket: Descriptor, ram: GuestRAM) {
    self.socket = socket
    self.ram = ram
  }

  /// Connects to a back-end that listens at `path`, trying until `timeout` seconds have passed.
  public convenience init(connectingTo path: String, ram: GuestRAM, timeout: Double = 5) throws {
    self.init(socket: try FrontEnd.connect(to: path, timeout: timeout), ram: ram)
  }

  /// Puts a new connection in the place of the old one, which is closed.
  public func replaceSocket(_ new: Descriptor) {
    socket = new
  }

  public static func connect(to path: String, timeout: Double = 5) throws -> Descriptor {
    let deadline = Deadline(after: timeout)
    while true {
      let socket = try Descriptor(Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
      if withAddress(path, { Glibc.connect(socket.number, $0, $1) }) == 0 { return socket }
      guard !deadline.hasPassed else { throw TestFailure("connect \(path): errno \(errno)") }
      usleep(1000)
    }
  }

  /// A listening socket at `path`, for a back-end that connects.
  public static func listen(at path: String) throws -> Descriptor {
    let socket = try Descriptor(Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
    unlink(path)
    guard withAddress(path, { Glibc.bind(socket.number, $0, $1) }) == 0, Glibc.listen(socket.number, 4) == 0 else {
      throw TestFailure("listen \(path): errno \(errno)")
    }
    return socket
  }

  /// Takes the next connection from a listening socket.
  public static func accept(from listener: Descriptor, timeout: Double = 5) throws -> Descriptor {
    guard listener.wait(for: POLLIN, until: Deadline(after: timeout)) else { throw TestFailure("nobody connected") }
    let socket = try Descriptor(Glibc.accept(listener.number, nil, nil), "accept")
    _ = fcntl(socket.number, F_SETFD, FD_CLOEXEC)
    return socket
  }

  private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8.prefix(107))) }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }

  // MARK: Messages

  /// The octets of a message; `size` lies about the payload's length if given.
  public static func encode(
    _ request: UInt32, flags: UInt32 = FrontEnd.version, payload: [UInt8] = [], size: UInt32? = nil
  ) -> [UInt8] {
    octets(request) + octets(flags) + octets(size ?? UInt32(payload.count)) + payload
  }

  /// Sends any message.
  public func send(
    _ request: UInt32, flags: UInt32 = FrontEnd.version, payload: [UInt8] = [], descriptors: [Int32] = []
  ) throws {
    try beforeMessage?()
    try sendRaw(FrontEnd.encode(request, flags: flags, payload: payload), descriptors: descriptors)
  }

  /// Sends any octets, with descriptors on the first of them.
  public func sendRaw(_ octets: [UInt8], descriptors: [Int32] = [], timeout: Double = 5) throws {
    let deadline = Deadline(after: timeout)
    var rest = octets[...]
    var attached = descriptors
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes {
        test_send_message(socket.number, $0.baseAddress, $0.count, attached, attached.count)
      }
      if sent > 0 {
        rest = rest.dropFirst(Int(sent))
        attached = []
        continue
      }
      guard errno == EAGAIN else { throw TestFailure("sendmsg: errno \(errno)") }
      guard socket.wait(for: POLLOUT, until: deadline) else { throw TestFailure("the back-end reads no messages") }
    }
  }

  /// The next message from the back-end.
  public func receive(timeout: Double = 5) throws -> Message {
    try FrontEnd.receive(from: socket, timeout: timeout)
  }

  public static func receive(from socket: Descriptor, timeout: Double) throws -> Message {
    let deadline = Deadline(after: timeout)
    var descriptors: [Descriptor] = []
    let header = try receive(12, from: socket, deadline, &descriptors)
    let size: UInt32 = number(header[8...])
    guard size <= 4096 else { throw TestFailure("a reply of \(size) octets") }
    let payload = try receive(Int(size), from: socket, deadline, &descriptors)
    return Message(
      request: number(header[0...]), flags: number(header[4...]), payload: payload, descriptors: descriptors)
  }

  private static func receive(
    _ count: Int, from socket: Descriptor, _ deadline: Deadline, _ descriptors: inout [Descriptor]
  ) throws -> [UInt8] {
    var octets: [UInt8] = []
    var arrived = [Int32](repeating: -1, count: 16)
    while octets.count < count {
      guard socket.wait(for: POLLIN, until: deadline) else {
        throw TestFailure("no answer: \(octets.count) of \(count) octets")
      }
      var part = [UInt8](repeating: 0, count: count - octets.count)
      var arrivedCount = 0
      let received = test_receive_message(socket.number, &part, part.count, &arrived, arrived.count, &arrivedCount)
      guard received > 0 else { throw TestFailure(received == 0 ? "end of connection" : "recvmsg: errno \(errno)") }
      descriptors += try arrived.prefix(arrivedCount).map { try Descriptor($0) }
      octets += part.prefix(Int(received))
    }
    return octets
  }

  /// Whether the back-end closes the connection within `timeout` seconds; what it says before that is thrown away.
  public func isClosed(timeout: Double = 5) -> Bool {
    let deadline = Deadline(after: timeout)
    var scratch = [UInt8](repeating: 0, count: 256)
    while socket.wait(for: POLLIN, until: deadline) {
      let count = recv(socket.number, &scratch, scratch.count, Int32(MSG_DONTWAIT))
      if count == 0 || (count < 0 && errno != EAGAIN) { return true }
    }
    return false
  }

  /// Little-endian octets of a number.
  public static func octets<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  static func number<T: FixedWidthInteger>(_ octets: ArraySlice<UInt8>) -> T {
    octets.prefix(MemoryLayout<T>.size).reversed().reduce(0) { $0 << 8 | T($1) }
  }
}
