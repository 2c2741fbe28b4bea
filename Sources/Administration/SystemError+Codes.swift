// SPDX-License-Identifier: Apache-2.0

import Polling

/// Errno values that decide something here.
extension SystemError {
  static let noSuchFile: Int32 = 2
  static let notPermitted: Int32 = 13
  static let tooManyLinks: Int32 = 40
  static let noData: Int32 = 61
  static let timedOut: Int32 = 110
  static let connectionRefused: Int32 = 111
}
