// SPDX-License-Identifier: Apache-2.0

public import Memory

/// A place in a frame's payload, moving forward: first what is left of the head, then the vectors.
public struct PayloadCursor: Sendable {
  private let head: ByteRegion
  private var offset: Int
  private var rest: VectorCursor

  /// The payload of `frame`, which begins at `offset` bytes from the frame's start.
  public init(_ frame: PassingFrame, from offset: Int) {
    head = frame.head
    self.offset = min(offset, frame.head.count)
    rest = frame.rest
    if offset > frame.head.count { rest.skip(offset &- frame.head.count) }
  }

  /// Copies the next bytes into `target` until it is full or the frame ends; returns how many.
  public mutating func read(into target: ByteRegion) -> Int {
    let first = min(target.count, head.count &- offset)
    if first > 0 {
      target.copy(from: head.slice(from: offset, count: first))
      offset &+= first
    }
    guard first < target.count else { return first }
    return first &+ rest.read(into: target.suffix(from: first))
  }
}
