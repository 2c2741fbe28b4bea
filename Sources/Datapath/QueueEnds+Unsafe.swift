// SPDX-License-Identifier: Apache-2.0

import Memory

/// Queue ends by number, for the path of a frame: taking an object out of an array counts a reference, this does not.
struct QueueEnds {
  private let owners: [QueueEnd]
  private let references: RecordBuffer<Unmanaged<QueueEnd>>

  /// There is at least one of them.
  init(_ ends: [QueueEnd]) {
    owners = ends
    references = RecordBuffer(capacity: ends.count, repeating: Unmanaged.passUnretained(ends[0]))
    for (index, end) in ends.enumerated() { references[index] = Unmanaged.passUnretained(end) }
  }

  func deallocate() { references.deallocate() }

  var indices: Range<Int> { owners.indices }

  /// Calls `body` with the end of that number.
  @inline(__always)
  func with<Result>(_ index: Int, _ body: (QueueEnd) -> Result) -> Result {
    // SAFETY: `owners` keeps each object alive for as long as this value is there, and so for the length of the call.
    references[index]._withUnsafeGuaranteedRef(body)
  }
}
