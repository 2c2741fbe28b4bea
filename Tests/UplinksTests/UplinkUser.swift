// SPDX-License-Identifier: Apache-2.0

import CLinux
import Memory
import Packets
import Polling
import TestSupport
import Timekeeping
import Uplinks

/// What the datapath is to an uplink: owns vectors and buffers, sends batches, receives one by one.
final class UplinkUser {
  let uplink: Uplink
  private let bytes: ByteRegion
  private let frames: RecordBuffer<OutgoingFrame>
  private let vectors: RecordBuffer<IOVector>
  private let received: ByteRegion
  private let receiveVectors: RecordBuffer<IOVector>

  init(_ specification: String, queuePairs: Int = 1, mtu: Int? = nil) throws {
    uplink = try Uplink.open(UplinkSpecification(parsing: specification), queuePairs: queuePairs, mtu: mtu)
    // After what may fail: nothing would give them back.
    bytes = .allocate(count: 32 << 16)
    frames = RecordBuffer(
      capacity: 32, repeating: OutgoingFrame(firstVector: 0, vectorCount: 0, byteCount: 0, index: 0))
    vectors = RecordBuffer(capacity: 128, repeating: IOVector(base: nil, length: 0))
    received = .allocate(count: 70_000)
    receiveVectors = RecordBuffer(capacity: 3, repeating: IOVector(base: nil, length: 0))
  }

  deinit {
    bytes.deallocate()
    frames.deallocate()
    vectors.deallocate()
    received.deallocate()
    receiveVectors.deallocate()
  }

  /// Sends at most 32 frames, each cut into three vectors, the first within the header.
  func send(_ contents: [[UInt8]], queue: Int = 0) -> SendOutcome {
    for (index, content) in contents.enumerated() {
      let region = bytes.slice(from: index << 16, count: content.count)
      region.copy(from: content)
      vectors[index * 4] = IOVector(region.slice(from: 0, count: 4))
      vectors[index * 4 + 1] = IOVector(region.slice(from: 4, count: 16))
      vectors[index * 4 + 2] = IOVector(region.suffix(from: 20))
      frames[index] = OutgoingFrame(
        firstVector: Int32(index * 4), vectorCount: 3, byteCount: Int32(content.count), index: 0)
    }
    return uplink.send(queue: queue, frames: frames, first: 0, count: contents.count, vectors: vectors)
  }

  /// The next frame by either way; nil: nothing there, or an error.
  func receive(queue: Int = 0) -> [UInt8]? {
    if uplink.stagesFrames { return uplink.nextFrame(queue: queue)?.bytes }
    received.fill(with: 0xEE)
    receiveVectors[0] = IOVector(received.slice(from: 0, count: 6))
    receiveVectors[1] = IOVector(received.slice(from: 6, count: 100))
    receiveVectors[2] = IOVector(received.suffix(from: 106))
    let count = uplink.receive(queue: queue, vectors: receiveVectors, first: 0, count: 3)
    return count > 0 ? received.slice(from: 0, count: count).bytes : nil
  }

  /// All test frames that are there on any active queue within `timeout` of each other.
  func receiveOurs(timeout: Interval, queues: Range<Int> = 0..<1) throws -> [[UInt8]] {
    let poller = try Poller(maximumEvents: 16)
    for queue in queues {
      if let fd = uplink.descriptor(queue: queue) { try poller.add(fd, .readable, token: UInt64(queue)) }
    }
    var result: [[UInt8]] = []
    while result.count < 1000, poller.wait(timeout: timeout) > 0 {
      for queue in queues {
        while let frame = receive(queue: queue) {
          if TestFrame.isOurs(frame) { result.append(frame) }
        }
      }
    }
    return result
  }

  /// Sends `frame` until `other` has received it in one piece or several: a link that was just set up may take a
  /// moment to carry anything.
  func exchange(_ frame: [UInt8], with other: UplinkUser) throws -> [[UInt8]] {
    var outcome: SendOutcome?
    for _ in 0..<400 {
      outcome = send([frame])
      let arrived = try other.receiveOurs(timeout: .milliseconds(50), queues: 0..<other.uplink.queueCount)
      if !arrived.isEmpty { return arrived }
    }
    let told =
      "the last send: \(String(describing: outcome)), sender: \(uplink.counters), receiver: \(other.uplink.counters)"
    throw PrivateNetwork.Failure(description: "\(uplink.name) to \(other.uplink.name): nothing arrived; \(told)")
  }
}
