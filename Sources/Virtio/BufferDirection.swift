// SPDX-License-Identifier: Apache-2.0

/// Which way a queue's buffers go. A network queue has one direction; a chain with a descriptor of the other is unsound.
public enum BufferDirection: UInt8, Sendable {
  /// transmitq: the device reads what the driver wrote.
  case deviceReadable
  /// receiveq: the device writes.
  case deviceWritable
}
