// SPDX-License-Identifier: Apache-2.0

/// What an uplink did since it was opened. Bytes are those of frames, without the 10-byte header.
public struct UplinkCounters: Equatable, Sendable, BitwiseCopyable {
  public var framesSent: UInt64 = 0
  public var bytesSent: UInt64 = 0
  /// Frames that the kernel or the peer refused; EINVAL: the offload request in the header.
  public var sendErrors: UInt64 = 0
  /// Frames dropped since the link was down, its queue full for long, or nobody at the other end.
  public var sendDropped: UInt64 = 0
  public var framesReceived: UInt64 = 0
  public var bytesReceived: UInt64 = 0
  /// Receive calls that failed, and frames that were not usable.
  public var receiveErrors: UInt64 = 0
  /// Frames that were longer than their buffer, and so dropped.
  public var receiveTruncated: UInt64 = 0
  /// Of the errors, those where the memory to send from or receive into was not there: its file was cut short.
  public var memoryFaults: UInt64 = 0

  init() {}

  mutating func sent(byteCount: Int32) {
    framesSent &+= 1
    bytesSent &+= UInt64(max(Int(byteCount) - SystemCalls.headerSize, 0))
  }

  mutating func received(byteCount: Int) {
    framesReceived &+= 1
    bytesReceived &+= UInt64(max(byteCount - SystemCalls.headerSize, 0))
  }

  /// `result`: -errno of a send that will not be tried again.
  mutating func sendFailed(_ result: Int) {
    switch result {
    case ErrorNumber.inputOutput, ErrorNumber.networkDown, ErrorNumber.noDevice, ErrorNumber.noSuchDevice,
      ErrorNumber.badState, ErrorNumber.noBuffers, ErrorNumber.outOfMemory, ErrorNumber.connectionRefused,
      ErrorNumber.notConnected, ErrorNumber.brokenPipe, ErrorNumber.connectionReset:
      sendDropped &+= 1
    case ErrorNumber.badAddress:
      sendErrors &+= 1
      memoryFaults &+= 1
    default:
      sendErrors &+= 1
    }
  }

  /// `result`: -errno of a receive that brought nothing.
  mutating func receiveFailed(_ result: Int) {
    switch result {
    case ErrorNumber.messageTooLong: receiveTruncated &+= 1
    case ErrorNumber.badAddress:
      receiveErrors &+= 1
      memoryFaults &+= 1
    default: receiveErrors &+= 1
    }
  }
}
