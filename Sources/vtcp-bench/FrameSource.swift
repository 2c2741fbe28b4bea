// SPDX-License-Identifier: Apache-2.0

import Memory
import Packets
import Uplinks

/// Sends copies of one frame into a network of the system.
final class FrameSource {
  private static let batch = 16

  private let uplink: Uplink
  private let frames: RecordBuffer<OutgoingFrame>
  private let vectors: RecordBuffer<IOVector>

  /// `frame`: the virtio header and the frame; stays where it is.
  init(_ specification: UplinkSpecification, frame: ByteRegion) throws {
    uplink = try Uplink.open(specification, queuePairs: 1, mtu: nil)
    vectors = RecordBuffer(capacity: 1, repeating: IOVector(frame))
    frames = RecordBuffer(
      capacity: Self.batch,
      repeating: OutgoingFrame(
        firstVector: 0, vectorCount: 1, byteCount: Int32(truncatingIfNeeded: frame.count), index: 0))
  }

  deinit {
    frames.deallocate()
    vectors.deallocate()
  }

  func send(_ count: Int) throws {
    var sent = 0
    while sent < count {
      let outcome = uplink.send(
        queue: 0, frames: frames, first: 0, count: min(Self.batch, count - sent), vectors: vectors)
      sent += outcome.accepted
      if outcome.blocked { throw BenchError("\(uplink.name) takes no more frames") }
    }
    guard uplink.counters.sendErrors + uplink.counters.sendDropped == 0 else {
      throw BenchError("\(uplink.name) refuses frames")
    }
  }
}
