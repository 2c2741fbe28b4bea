// SPDX-License-Identifier: Apache-2.0

import Memory

/// The head of every message: request, flags, payload size; 12 bytes in host byte order ("Header").
struct MessageHeader: Equatable, Sendable {
  static let byteCount = 12
  /// Larger payloads are refused: the largest that we understand has 264 bytes.
  static let maximumPayload = 4096

  var request: UInt32
  var flags: UInt32
  var payloadSize: UInt32

  private static let version: UInt32 = 1
  private static let versionMask: UInt32 = 3
  private static let replyFlag: UInt32 = 1 << 2
  private static let needReplyFlag: UInt32 = 1 << 3

  init(decoding bytes: ByteRegion) {
    request = bytes.load(at: 0)
    flags = bytes.load(at: 4)
    payloadSize = bytes.load(at: 8)
  }

  /// The head of a reply to `request`.
  init(replyTo request: UInt32, payloadSize: Int) {
    self.request = request
    flags = Self.version | Self.replyFlag
    self.payloadSize = UInt32(truncatingIfNeeded: payloadSize)
  }

  func encode(into bytes: ByteRegion) {
    bytes.store(request, at: 0)
    bytes.store(flags, at: 4)
    bytes.store(payloadSize, at: 8)
  }

  var isVersionKnown: Bool { flags & Self.versionMask == Self.version }
  var needsReply: Bool { flags & Self.needReplyFlag != 0 }
}
