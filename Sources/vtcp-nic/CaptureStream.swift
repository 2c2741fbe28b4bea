// SPDX-License-Identifier: Apache-2.0

import Capture
import Memory
import Polling
import Timekeeping

/// A capture on its way to whoever asked for it, over the connection that it was asked for on.
final class CaptureStream {
  /// What one turn sends. Bytes.
  private static let piece = 256 << 10

  let capture: PacketCapture
  let connection: OwnedDescriptor
  /// The other end has said that it has enough, or the capture is done: what was counted is to be sent, and the connection closed.
  private var isEnding = false
  private var hasFinished = false
  /// Nothing can be sent now.
  private(set) var isBlocked = false

  init(_ capture: PacketCapture, over connection: OwnedDescriptor) {
    self.capture = capture
    self.connection = connection
  }

  /// Whether there is something to do though nothing has come.
  var hasWork: Bool { !isBlocked && (!capture.isEmpty || capture.isDone || isEnding) }

  /// Nothing more is wanted of it.
  func end() { isEnding = true }

  /// The connection takes something again.
  func unblock() { isBlocked = false }

  /// Takes note of what the other end says: nothing, but that it wants no more. False: it is gone.
  func listen(_ room: ByteRegion) -> Bool {
    switch ByteStream.read(connection.rawValue, into: room) {
    case .bytes, .wouldBlock: return true
    case .end:
      isEnding = true
      return true
    case .failed: return false
    }
  }

  /// Whether the other end may still say that it wants no more.
  var listens: Bool { !isEnding }

  /// Sends what there is, as much as a turn may. False: the connection is over.
  func send(now: Instant) -> Bool {
    if isEnding || capture.isDone, !hasFinished {
      isEnding = true
      hasFinished = capture.finish(now: now)
    }
    var sent = 0
    while sent < Self.piece {
      let waiting = capture.waiting()
      guard waiting.count > 0 else { return !hasFinished }
      let piece = waiting.slice(from: 0, count: min(waiting.count, Self.piece &- sent))
      switch UnixSocket.send(connection.rawValue, piece, descriptors: []) {
      case .bytes(let count):
        capture.take(count)
        sent &+= count
      case .wouldBlock:
        isBlocked = true
        return true
      case .failed: return false
      }
    }
    return true
  }
}
