// SPDX-License-Identifier: Apache-2.0

import Arena

/// A record's place in a doubly linked list.
struct ListLinks: BitwiseCopyable, Sendable {
  var previous = RecordIndex.none
  var next = RecordIndex.none
}
