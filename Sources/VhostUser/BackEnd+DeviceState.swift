// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling

/// The device state of a guest that migrates (`VHOST_USER_PROTOCOL_F_DEVICE_STATE`).
///
/// The front-end gives a pipe and asks afterwards whether all went well. The pipe is served by events between turns, a
/// share at a time. On the destination the state comes before features, memory and rings: it is checked when the
/// front-end asks, kept, and given to the device when its first ring starts.
extension BackEnd {
  /// In the reply: no descriptor of ours comes with it, the front-end's is used.
  private static let noDescriptor: UInt64 = 1 << 8

  func setDeviceStateDescriptor(_ message: inout Message) throws(RequestError) -> [UInt8] {
    try require(.deviceState)
    dropStateTransfer()
    do throws(RequestError) {
      try beginStateTransfer(&message)
      return Self.noDescriptor.littleEndianBytes
    } catch {
      tell(message.header, error)
      return (Self.noDescriptor | 1).littleEndianBytes
    }
  }

  private func beginStateTransfer(_ message: inout Message) throws(RequestError) {
    guard message.payload.count == 8, let direction = StateTransfer.Direction(rawValue: message.payload.load(at: 0))
    else { throw .malformedPayload }
    // VHOST_TRANSFER_STATE_PHASE_STOPPED, the only one there is.
    guard message.payload.load(UInt32.self, at: 4) == 0 else { throw .refused("the phase is not known") }
    guard !vrings.contains(where: \.isRunning) else { throw .refused("a vring is running") }
    guard let pipe = message.descriptors.popLast() else { throw .missingDescriptor }
    guard EventDescriptor.setNonBlocking(pipe.rawValue) else { throw .refused("its descriptor can't be used") }
    do throws(SystemError) {
      try poller.add(pipe.rawValue, direction == .save ? .writable : .readable, token: stateToken)
    } catch {
      throw .system(error)
    }
    parkedState = nil
    stateTransfer = StateTransfer(direction, pipe, direction == .save ? device.saveState().encoded() : [])
    stateTransferReady()
  }

  /// The pipe of a transfer can take or give something.
  public func stateTransferReady() {
    guard let transfer = stateTransfer, let pipe = transfer.pipe else { return }
    transfer.advance()
    // Closing would do it, unless somebody else has the same end of the pipe.
    if transfer.pipe == nil { poller.remove(pipe.rawValue) }
  }

  /// What was transferred is whole and understood, or was not: 0 or 1. The answer ends the transfer.
  func checkDeviceState() throws(RequestError) -> [UInt8] {
    try require(.deviceState)
    defer { dropStateTransfer() }
    do throws(DeviceStateError) {
      try finishStateTransfer()
      return UInt64(0).littleEndianBytes
    } catch {
      log.warning("the device state was not \(stateTransfer?.direction == .save ? "saved" : "loaded"): \(error)")
      return UInt64(1).littleEndianBytes
    }
  }

  private func finishStateTransfer() throws(DeviceStateError) {
    guard let transfer = stateTransfer else { throw .refused("there was no transfer") }
    // The front-end asks when it has written all: what is left, no more than a pipe holds, is here already.
    for _ in 0..<Self.sharesAtCheck where transfer.progress == .running { stateTransferReady() }
    switch transfer.progress {
    case .running: throw .refused("the front-end asks for the result before the end of the stream")
    case .failed(let why): throw .refused(why)
    case .done: break
    }
    guard transfer.direction == .load else { return }
    let state = try DeviceState(decoding: transfer.bytes)
    if let why = device.refusal(of: state) { throw .refused(why) }
    parkedState = state
    log.notice("a device state of \(transfer.bytes.count) bytes has arrived")
  }

  /// A pipe holds 1 MiB at most, unless an administrator allowed more.
  private static let sharesAtCheck = 64

  func dropStateTransfer() {
    if let pipe = stateTransfer?.pipe { poller.remove(pipe.rawValue) }
    stateTransfer = nil
  }

  /// The first ring runs: what was kept for the device is the device's.
  func restoreParkedState() {
    guard let state = parkedState else { return }
    parkedState = nil
    device.restore(state)
  }
}
