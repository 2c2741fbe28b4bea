// SPDX-License-Identifier: Apache-2.0

/// Which part of a large frame's payload a piece is. Bytes, counted from the payload's start.
struct LargeSendCut: BitwiseCopyable {
  let start: Int
  let count: Int
  let segmentSize: Int
  let isLast: Bool
}
