// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling

/// A device state on its way through the pipe of `VHOST_USER_SET_DEVICE_STATE_FD`, as far as the other end goes along.
final class StateTransfer {
  /// `VHOST_TRANSFER_STATE_DIRECTION_SAVE`, `_LOAD`
  enum Direction: UInt32 {
    case save
    case load
  }

  enum Progress: Equatable {
    case running
    case done
    case failed(String)
  }

  /// Bytes that one event moves at most: the datapath waits meanwhile.
  private static let share = 256 << 10

  let direction: Direction
  private(set) var progress = Progress.running
  /// Closed, and so not there, as soon as the transfer is over: the other end sees the end of the stream.
  private(set) var pipe: OwnedDescriptor?
  /// All of it (save), or what has come so far (load).
  private(set) var bytes: [UInt8]
  private var written = 0
  private var expected: Int?

  init(_ direction: Direction, _ pipe: OwnedDescriptor, _ bytes: [UInt8] = []) {
    self.direction = direction
    self.pipe = pipe
    self.bytes = bytes
  }

  /// Moves what can be moved now. False if the pipe would block, or the transfer is over.
  @discardableResult
  func advance() -> Bool {
    guard let pipe, progress == .running else { return false }
    return direction == .save ? write(pipe) : read(pipe)
  }

  private func write(_ pipe: OwnedDescriptor) -> Bool {
    let count = min(bytes.count - written, Self.share)
    let region = ByteRegion.allocate(count: count)
    defer { region.deallocate() }
    region.copy(from: Array(bytes[written..<written + count]))
    switch ByteStream.write(pipe.rawValue, region) {
    case .bytes(let count): written += count
    case .wouldBlock: return false
    case .end: end(.failed("the pipe takes nothing"))
    case .failed(let error): end(.failed("\(error)"))
    }
    if written == bytes.count { end(.done) }
    return progress == .running
  }

  private func read(_ pipe: OwnedDescriptor) -> Bool {
    // Not more than the state has by its own account, so that no more is kept than was announced.
    let wanted = expected.map { $0 + 1 - bytes.count } ?? DeviceState.headerByteCount - bytes.count
    let region = ByteRegion.allocate(count: min(wanted, Self.share))
    defer { region.deallocate() }
    switch ByteStream.read(pipe.rawValue, into: region) {
    case .bytes(let count): take(region.slice(from: 0, count: count).bytes)
    case .wouldBlock: return false
    case .end: end(.done)
    case .failed(let error): end(.failed("\(error)"))
    }
    return progress == .running
  }

  private func take(_ some: [UInt8]) {
    bytes += some
    do throws(DeviceStateError) {
      if expected == nil, bytes.count >= DeviceState.headerByteCount {
        expected = try DeviceState.byteCount(header: bytes[...])
      }
      if let expected, bytes.count > expected { throw .tooLong }
    } catch {
      // Whoever writes learns it by the closed pipe.
      end(.failed("\(error)"))
    }
  }

  private func end(_ progress: Progress) {
    self.progress = progress
    pipe = nil
  }
}
