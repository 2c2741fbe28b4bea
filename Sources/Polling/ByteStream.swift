// SPDX-License-Identifier: Apache-2.0

import CLinux
public import Memory

/// Reading and writing pipes and other descriptors that hold a stream of bytes. They must not block
/// (`EventDescriptor.setNonBlocking`).
public enum ByteStream {
  /// What one call came to.
  public enum Outcome: Equatable, Sendable {
    case bytes(Int)
    case wouldBlock
    /// Nothing will come any more.
    case end
    case failed(SystemError)
  }

  private static let interrupted: Int64 = -4
  private static let again: Int64 = -11

  /// Reads up to `region.count` bytes, which are not zero.
  public static func read(_ fd: Int32, into region: ByteRegion) -> Outcome {
    let result = SystemCalls.read(fd, region)
    return result == 0 ? .end : outcome("read", result)
  }

  /// Writes up to `region.count` bytes.
  public static func write(_ fd: Int32, _ region: ByteRegion) -> Outcome {
    outcome("write", SystemCalls.write(fd, region))
  }

  private static func outcome(_ call: String, _ result: Int64) -> Outcome {
    guard result < 0 else { return .bytes(Int(result)) }
    guard result != again, result != interrupted else { return .wouldBlock }
    return .failed(SystemError(call: call, code: Int32(clamping: -result)))
  }
}
