// SPDX-License-Identifier: Apache-2.0
import CTestSupport
import Glibc

/// A packet socket at an interface of this thread's network (`PrivateNetwork`): it sends frames with requests for offload, or gets what arrives.
public final class PacketSocket {
  private let descriptor: Descriptor
  private var buffer: [UInt8]

  public static func sender(_ interface: String) throws -> PacketSocket {
    PacketSocket(try Descriptor(test_packet_sender(interface), "a packet socket on \(interface)"), capacity: 0)
  }

  public static func receiver(_ interface: String) throws -> PacketSocket {
    PacketSocket(try Descriptor(test_packet_receiver(interface), "a packet socket on \(interface)"), capacity: 1 << 20)
  }

  private init(_ descriptor: Descriptor, capacity: Int) {
    self.descriptor = descriptor
    buffer = [UInt8](repeating: 0, count: capacity)
  }

  public func send(_ frame: [UInt8], header: NetworkHeader) throws {
    let octets = header.octets(10) + frame
    let sent = octets.withUnsafeBytes { Glibc.send(descriptor.number, $0.baseAddress, $0.count, 0) }
    guard sent == octets.count else {
      throw TestFailure("a frame of \(frame.count) octets is not taken: errno \(errno)")
    }
  }

  /// The next frame, or nil if none comes in time.
  public func receive(timeout: Double) throws -> [UInt8]? {
    let deadline = Deadline(after: timeout)
    while true {
      let count = buffer.withUnsafeMutableBytes { test_packet_receive(descriptor.number, $0.baseAddress, $0.count) }
      if count >= 0 { return Array(buffer[..<Int(count)]) }
      guard errno == EAGAIN || errno == EINTR else { throw TestFailure("recvmsg: errno \(errno)") }
      guard descriptor.wait(for: POLLIN, until: deadline) else { return nil }
    }
  }
}
