// SPDX-License-Identifier: Apache-2.0

import Glibc

enum Duplicate {
  /// Another number of the same descriptor, which nobody owns yet.
  static func of(_ number: Int32) -> Int32? {
    let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
    return copy >= 0 ? copy : nil
  }
}
