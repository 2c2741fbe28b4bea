// SPDX-License-Identifier: Apache-2.0
import CTestSupport
import Glibc

/// The network: our end of the socket that a NIC has as its uplink (`fd:N`). Each datagram is a 10-octet
/// virtio_net_hdr and a frame.
public final class Network {
  public struct Packet: Equatable, Sendable {
    public var header: NetworkHeader
    public var frame: [UInt8]

    public init(header: NetworkHeader = NetworkHeader(), frame: [UInt8]) {
      self.header = header
      self.frame = frame
    }
  }

  public let socket: Descriptor
  /// The NIC's end, to be inherited by it; drop it once the NIC has it to see the end of the connection.
  public var uplink: Descriptor?

  public enum Kind: String, Sendable, CaseIterable {
    case sequencedPacket
    case datagram
  }

  /// `bufferSize` bounds what lies unread at either end (SO_SNDBUF).
  public init(_ kind: Kind = .sequencedPacket, bufferSize: Int32 = 1 << 20) throws {
    let type = kind == .datagram ? SOCK_DGRAM : SOCK_SEQPACKET
    let (ours, theirs) = try Descriptor.socketPair(Int32(type.rawValue))
    socket = ours
    uplink = theirs
    var size = bufferSize
    for end in [ours, theirs] {
      setsockopt(end.number, SOL_SOCKET, SO_SNDBUF, &size, 4)
    }
  }

  public func send(_ packet: Packet, timeout: Double = 5) throws {
    let octets = packet.header.octets(10) + packet.frame
    try sendRaw(octets, timeout: timeout)
  }

  public func send(_ frame: [UInt8]) throws {
    try send(Packet(frame: frame))
  }

  /// One datagram of any octets.
  public func sendRaw(_ octets: [UInt8], timeout: Double = 5) throws {
    let deadline = Deadline(after: timeout)
    while true {
      if octets.withUnsafeBytes({ test_send_message(socket.number, $0.baseAddress, $0.count, nil, 0) }) >= 0 { return }
      guard errno == EAGAIN, socket.wait(for: POLLOUT, until: deadline) else {
        throw TestFailure("uplink takes no datagram: errno \(errno)")
      }
    }
  }

  /// Whether a datagram could be sent at once, without waiting.
  public func trySend(_ frame: [UInt8]) -> Bool {
    let octets = NetworkHeader().octets(10) + frame
    return octets.withUnsafeBytes { test_send_message(socket.number, $0.baseAddress, $0.count, nil, 0) } >= 0
  }

  /// The next packet that the NIC sends.
  public func receive(timeout: Double = 5) throws -> Packet {
    guard let packet = try poll(timeout: timeout) else { throw TestFailure("no packet in \(timeout) s") }
    return packet
  }

  /// The next packet, or nil if none comes in `timeout` seconds.
  public func poll(timeout: Double = 0) throws -> Packet? {
    guard socket.wait(for: POLLIN, until: Deadline(after: timeout)) else { return nil }
    var octets = [UInt8](repeating: 0, count: 1 << 17)
    let count = recv(socket.number, &octets, octets.count, Int32(MSG_DONTWAIT))
    guard count >= 10 else { throw TestFailure("a datagram of \(count) octets from the uplink, errno \(errno)") }
    return Packet(header: NetworkHeader(decoding: Array(octets[0..<10])), frame: Array(octets[10..<count]))
  }
}
