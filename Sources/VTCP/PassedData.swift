// SPDX-License-Identifier: Apache-2.0

import Arena
import Wire

/// The held data that the frame in the caller's hands carries past, so that it can be taken back.
struct PassedData: BitwiseCopyable, Sendable {
  var side: SideIndex?
  /// Where `next` was before.
  var next = SequenceNumber(rawValue: 0)
  /// It says CWR.
  var carriesReduction = false
}
