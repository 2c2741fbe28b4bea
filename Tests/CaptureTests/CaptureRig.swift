// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import Memory
import Packets
import Timekeeping
import Wire

@testable import Capture

/// Frames in memory, and a capture of them.
final class CaptureRig {
  static let wallClock: Int64 = 1_700_000_000_000_000_000
  let capture: PacketCapture
  private var memory: [ByteRegion] = []
  private let vectors = RecordBuffer<IOVector>(capacity: 4, repeating: .none)
  private var comment = CaptureComment()

  init(filter: CaptureFilter = CaptureFilter(), snapLength: SnapLength = .bytes(65_535), limit: Int? = nil) {
    capture = PacketCapture(
      filter: filter, snapLength: snapLength, limit: limit, application: "a test", wallClock: Self.wallClock,
      now: Instant(nanoseconds: 0))
  }

  deinit {
    for region in memory { region.deallocate() }
    vectors.deallocate()
    comment.deallocate()
  }

  /// A frame whose bytes lie in two pieces.
  func frame(_ bytes: [UInt8], headCount: Int = 256) -> PassingFrame {
    let region = ByteRegion.allocate(count: bytes.count)
    region.copy(from: bytes)
    memory.append(region)
    let head = region.slice(from: 0, count: min(headCount, bytes.count))
    vectors[0] = IOVector(region.suffix(from: head.count))
    return PassingFrame(head: head, length: bytes.count, vectors: vectors, firstVector: 0, vectorsEnd: 1)
  }

  func show(
    _ bytes: [UInt8], _ point: CapturePoint = CapturePoint(.guest, .inbound), _ said: String = "", at time: Int64 = 0
  ) {
    let frame = frame(bytes)
    capture.open(
      point, frame, FrameLayout(parsing: frame.head, frameLength: frame.length), now: Instant(nanoseconds: time))
    comment.clear()
    if !said.isEmpty { comment.add(Array(said.utf8)) }
    capture.close(comment)
  }

  /// All that waits.
  func take() -> [UInt8] {
    var octets: [UInt8] = []
    while case let waiting = capture.waiting(), waiting.count > 0 {
      octets += waiting.bytes
      capture.take(waiting.count)
    }
    return octets
  }

  /// What is read of all that waits.
  func packets(_ reader: inout PcapngReader) throws -> [CapturedPacket] {
    reader.take(take())
    var packets: [CapturedPacket] = []
    while let packet = try reader.next() { packets.append(packet) }
    return packets
  }

  func packets() throws -> [CapturedPacket] {
    var reader = PcapngReader()
    return try packets(&reader)
  }
}
