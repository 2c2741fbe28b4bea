// SPDX-License-Identifier: Apache-2.0

import Arena

/// The place of a `FlowSide`: two for each flow, transmit then receive.
struct SideIndex: BitwiseCopyable, Equatable, Sendable {
  let rawValue: Int

  /// The side whose data come from `sender`.
  init(_ flow: RecordIndex, sender: Leg) {
    rawValue = (Int(flow.rawValue) &- 1) &* 2 &+ (sender == .guest ? 0 : 1)
  }

  /// The side whose data go to `receiver`.
  init(_ flow: RecordIndex, receiver: Leg) {
    self.init(flow, sender: receiver.opposite)
  }

  private init(rawValue: Int) { self.rawValue = rawValue }

  /// Guest to network.
  var isTransmit: Bool { rawValue & 1 == 0 }
  var sender: Leg { isTransmit ? .guest : .network }
  var receiver: Leg { sender.opposite }
  var flow: RecordIndex { RecordIndex(rawValue: UInt32(truncatingIfNeeded: rawValue &>> 1 &+ 1)) }
  /// The other direction of the same connection.
  var opposite: SideIndex { SideIndex(rawValue: rawValue ^ 1) }
}
