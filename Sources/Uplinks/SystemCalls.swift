// SPDX-License-Identifier: Apache-2.0

import CLinux
import Memory
import Packets
import Polling

/// The system calls of this target that take addresses; nothing else here does.
///
/// SAFETY: every vector handed over lies in a `RecordBuffer` (checked here) and describes memory that its owner keeps
/// mapped for the length of the call; the kernel keeps no address after the call. An unmapped address is EFAULT.
enum SystemCalls {
  /// `struct virtio_net_hdr` without `num_buffers` (virtio 1.3, 5.1.6).
  static let headerSize = 10

  /// How a descriptor moves frames.
  enum Kind: BitwiseCopyable {
    /// TAP: writev and readv.
    case file
    /// A unix socket of datagrams.
    case datagrams
  }

  @inline(__always)
  private static func address(_ vectors: RecordBuffer<IOVector>, _ first: Int, _ count: Int)
    -> UnsafeMutablePointer<IOVector>
  {
    precondition(first >= 0 && count >= 0 && first <= vectors.capacity && count <= vectors.capacity &- first)
    return vectors.base + first
  }

  @inline(__always)
  static func send(_ fd: Int32, _ kind: Kind, _ vectors: RecordBuffer<IOVector>, first: Int, count: Int) -> Int {
    let start = address(vectors, first, count)
    let length = Int32(truncatingIfNeeded: count)
    return Int(kind == .file ? vtcp_write_vectors(fd, start, length) : vtcp_send_vectors(fd, start, length))
  }

  @inline(__always)
  static func receive(_ fd: Int32, _ kind: Kind, _ vectors: RecordBuffer<IOVector>, first: Int, count: Int) -> Int {
    let start = address(vectors, first, count)
    let length = Int32(truncatingIfNeeded: count)
    return Int(kind == .file ? vtcp_read_vectors(fd, start, length) : vtcp_receive_vectors(fd, start, length))
  }

  /// Calls `send` or `receive` on what lies behind the header, for a TAP that has none.
  ///
  /// The one vector that the header ends in is shortened for the length of the call.
  static func withoutHeader(
    _ vectors: RecordBuffer<IOVector>, first: Int, count: Int, _ call: (_ first: Int, _ count: Int) -> Int
  ) -> Int {
    _ = address(vectors, first, count)
    var left = headerSize
    var index = 0
    while index < count, left >= vectors[first + index].length {
      left -= vectors[first + index].length
      index += 1
    }
    guard index < count, let base = vectors[first + index].base else { return ErrorNumber.invalid }
    let whole = vectors[first + index]
    vectors[first + index] = IOVector(base: base + left, length: whole.length - left)
    defer { vectors[first + index] = whole }
    return call(first + index, count - index)
  }

  /// Writes an empty header, "nothing left to do", into the first bytes of the vectors.
  static func clearHeader(_ vectors: RecordBuffer<IOVector>, first: Int, count: Int) {
    var left = headerSize
    for index in 0..<count {
      let vector = vectors[first + index]
      guard left > 0, let base = vector.base else { return }
      let length = min(left, vector.length)
      ByteRegion(base: base, count: length).fill(with: 0)
      left -= length
    }
  }

  /// One `sendmmsg` of at most 16 frames; `scratch` holds 16 records.
  static func sendPackets(
    _ fd: Int32, _ frames: RecordBuffer<OutgoingFrame>, first: Int, count: Int, vectors: RecordBuffer<IOVector>,
    scratch: RecordBuffer<vtcp_packet_frame>
  ) -> Int {
    let length = min(count, scratch.capacity)
    for index in 0..<length {
      let frame = frames[first + index]
      let start = address(vectors, Int(frame.firstVector), Int(frame.vectorCount))
      scratch[index].vectors = UnsafePointer(start)
      scratch[index].vector_count = UInt32(frame.vectorCount)
    }
    return Int(vtcp_packet_send(fd, scratch.base, Int32(length)))
  }

  /// The memory of a sender's ring; nil if it can have none. `unmap` gives it back.
  static func mapRing(_ fd: Int32, slotSize: Int, slots: Int) -> ByteRegion? {
    var base: UnsafeMutableRawPointer?
    guard vtcp_packet_ring_map(fd, Int32(slotSize), Int32(slots), &base) >= 0, let base else { return nil }
    return ByteRegion(base: base, count: slotSize * slots)
  }

  static func unmap(_ region: ByteRegion) {
    _ = vtcp_unmap(region.base, region.count)
  }

  /// Each record's only vector is the one of the same index.
  static func prepareReceive(_ records: RecordBuffer<vtcp_packet_frame>, vectors: RecordBuffer<IOVector>) {
    for index in 0..<min(records.capacity, vectors.capacity) {
      records[index].vectors = UnsafePointer(vectors.base + index)
      records[index].vector_count = 1
    }
  }

  static func receivePackets(_ fd: Int32, into records: RecordBuffer<vtcp_packet_frame>) -> Int {
    Int(vtcp_packet_receive(fd, records.base, Int32(clamping: records.capacity)))
  }

  /// The flags of a TAP and its name; nil when `fd` is no TUN or TAP.
  static func tapFlags(_ fd: Int32) -> (flags: Int32, name: String)? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(VTCP_INTERFACE_NAME_SIZE)) { buffer in
      buffer.initialize(repeating: 0)
      guard let start = buffer.baseAddress else { return nil }
      let flags = vtcp_tap_flags(fd, start)
      return flags >= 0 ? (flags, String(cString: start)) : nil
    }
  }

  @discardableResult
  static func check(_ call: @autoclosure () -> String, _ result: Int32) throws(SystemError) -> Int32 {
    guard result >= 0 else { throw SystemError(call: call(), code: -result) }
    return result
  }
}
