// SPDX-License-Identifier: Apache-2.0

import CBench
import CLinux
import Memory
import Polling

/// The system calls of this target that take addresses; nothing else here does.
///
/// SAFETY: every address handed over is that of a `ByteRegion` or of vectors in a `RecordBuffer` (checked here), with
/// the region's own count; the kernel keeps none of them after the call.
enum SystemCalls {
  @inline(__always)
  static func read(_ fd: Int32, into region: ByteRegion) -> Int {
    var vector = IOVector(region)
    return Int(vtcp_read_vectors(fd, &vector, 1))
  }

  @inline(__always)
  static func write(_ fd: Int32, _ vectors: RecordBuffer<IOVector>, count: Int) -> Int {
    precondition(count >= 0 && count <= vectors.capacity)
    return Int(vtcp_write_vectors(fd, vectors.base, Int32(truncatingIfNeeded: count)))
  }

  /// Sends `count` frames of `size` bytes that lie `stride` apart in `frames`.
  static func sendPackets(_ fd: Int32, _ frames: ByteRegion, size: Int, stride: Int, count: Int) -> Int {
    precondition(count > 0 && frames.count >= (count - 1) * stride + size)
    return Int(vtcp_bench_packet_send(fd, frames.base, size, stride, Int32(truncatingIfNeeded: count)))
  }

  static func send(_ socket: Int32, _ bytes: ByteRegion) -> Int {
    Int(vtcp_bench_send(socket, bytes.base, bytes.count))
  }

  static func receive(_ socket: Int32, into region: ByteRegion) -> Int {
    Int(vtcp_bench_receive(socket, region.base, region.count))
  }

  /// The beginning of a file, as many bytes as `region` has at most.
  static func readFile(_ path: String, into region: ByteRegion) -> Int {
    Int(vtcp_bench_read_file(path, region.base, region.count))
  }

  /// A shim's result, or its error.
  @discardableResult
  static func check(_ call: @autoclosure () -> String, _ result: Int32) throws -> Int32 {
    guard result >= 0 else { throw SystemError(call: call(), code: -result) }
    return result
  }
}
