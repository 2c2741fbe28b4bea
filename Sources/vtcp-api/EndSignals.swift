// SPDX-License-Identifier: Apache-2.0

import Foundation

/// SIGTERM and SIGINT: the program is to end. A handler and a pipe, since the threads of the library below us let all signals through.
enum EndSignals {
  /// Where it is read and written; made before the handler can run.
  private static let ends: (reading: Int32, writing: Int32) = {
    var numbers: [Int32] = [-1, -1]
    _ = pipe(&numbers)
    return (numbers[0], numbers[1])
  }()

  /// From now on they end nothing by themselves.
  static func take() {
    guard ends.reading >= 0 else { return }
    for number in [SIGTERM, SIGINT] {
      signal(number) { _ in
        var octet: UInt8 = 0
        _ = write(EndSignals.ends.writing, &octet, 1)
      }
    }
  }

  /// Returns when one has come.
  static func wait() {
    var octet: UInt8 = 0
    while read(ends.reading, &octet, 1) < 0, errno == EINTR {}
  }
}
