// SPDX-License-Identifier: Apache-2.0

import CLinux
import LargeSend
import Memory
import Polling
import Uplinks
import Wire

/// The network behind the NIC: the other end of a socket of sequenced packets, the same for all inputs.
final class RingNetwork {
  nonisolated(unsafe) static let shared = try? RingNetwork()

  let uplink: Uplink
  let descriptor: Int32
  private let far: OwnedDescriptor
  private let buffer = ByteRegion.allocate(count: 70_000)

  private init() throws {
    var near: Int32 = -1
    var other: Int32 = -1
    guard vtcp_unix_pair(UnixSocket.PairType.sequencedPacket.rawValue, &near, &other) >= 0 else {
      throw Finding("there is no pair of sockets")
    }
    far = OwnedDescriptor(other)
    descriptor = near
    uplink = try Uplink.open(.descriptor(near), queuePairs: 1, mtu: nil)
  }

  /// A frame, virtio header first.
  func send(_ header: ByteRegion, length: Int, pattern: UInt8) {
    let frame = buffer.slice(from: 0, count: VirtioNetHeader.length + length)
    frame.fill(with: pattern)
    frame.copy(from: header)
    _ = UnixSocket.send(far.rawValue, frame, descriptors: [])
  }

  /// A frame as it is, virtio header first.
  func send(_ octets: ByteRegion) { _ = UnixSocket.send(far.rawValue, octets, descriptors: []) }

  /// Takes up to `count` frames that the NIC has sent, and looks at each.
  func take(_ count: Int) throws(Finding) {
    var none: [OwnedDescriptor] = []
    for _ in 0..<count {
      guard case .bytes(let length) = UnixSocket.receive(far.rawValue, into: buffer, descriptors: &none) else { return }
      try check(buffer.slice(from: 0, count: length))
    }
  }

  private func check(_ octets: ByteRegion) throws(Finding) {
    try Finding.require(octets.count >= VirtioNetHeader.length + 14, "a frame of \(octets.count) octets was sent")
    let header = VirtioNetHeader(decoding: octets)
    guard header != VirtioNetHeader() else { return }
    let frame = octets.suffix(from: VirtioNetHeader.length)
    let head = frame.slice(from: 0, count: min(frame.count, FrameLayout.recommendedHeaderBytes))
    guard let layout = FrameLayout(parsing: head, frameLength: frame.count),
      case .valid = OffloadCheck(header: header, layout: layout, frameLength: frame.count)
    else { throw Finding("\(header) was sent with a frame that it does not fit") }
  }

  /// Nothing is left on the way in either direction.
  func clear() {
    var none: [OwnedDescriptor] = []
    while case .bytes = UnixSocket.receive(far.rawValue, into: buffer, descriptors: &none) {}
    while case .bytes = UnixSocket.receive(descriptor, into: buffer, descriptors: &none) {}
  }
}
