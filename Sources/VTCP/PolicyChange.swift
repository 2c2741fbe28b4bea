// SPDX-License-Identifier: Apache-2.0

import Memory
import TCPPolicy

/// A policy that takes another's place, for one connection after the other.
struct PolicyChange {
  /// What counts for those that were not looked at yet.
  let former: PolicyTable
  /// By the number of one of its classes the number of the class of that name now; of a name that is gone, the fallback's.
  private let classes: RecordBuffer<UInt8>
  /// The place of the connection to look at next.
  var next: UInt32 = 1

  init(from former: PolicyTable, to latter: PolicyTable) {
    self.former = former
    let names = latter.classNames
    let places = former.classNames.map { name in names.firstIndex(of: name) ?? 0 }
    classes = RecordBuffer(capacity: places.count, repeating: 0)
    for (number, place) in places.enumerated() { classes[number] = UInt8(truncatingIfNeeded: place) }
  }

  func deallocate() {
    former.deallocate()
    classes.deallocate()
  }

  /// The number that a class of the former policy has now.
  func newClass(_ number: UInt8) -> UInt8 { Int(number) < classes.capacity ? classes[Int(number)] : 0 }
}
