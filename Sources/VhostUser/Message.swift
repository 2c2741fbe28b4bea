// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling

/// One whole message of the front-end. The payload lies in the socket's buffer until the next one is read.
struct Message {
  let header: MessageHeader
  let payload: ByteRegion
  /// What came with it. Whatever is not taken out is closed with the message.
  var descriptors: [OwnedDescriptor]

  /// The payload as one number.
  var u64: UInt64? { payload.count == 8 ? payload.load(UInt64.self, at: 0) : nil }

  /// The payload as a vring's index and a number ("A vring state description").
  var vringState: (index: Int, number: UInt32)? {
    guard payload.count == 8 else { return nil }
    return (Int(payload.load(UInt32.self, at: 0)), payload.load(UInt32.self, at: 4))
  }
}
