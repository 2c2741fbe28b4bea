// SPDX-License-Identifier: Apache-2.0

import LargeSend
import Polling

/// What can be asked for at the control socket; the first line of a connection (docs/control.md).
enum ControlRequest: Equatable {
  /// So many octets follow: the text of a policy.
  case policy(byteCount: Int)
  case status
  case largeSend(LargeSendSetting)

  /// Octets of the longest one, its newline included.
  static let longest = 64

  /// `line`: without its newline.
  init(parsing line: some Sequence<UInt8>) throws(ControlError) {
    let words = String(decoding: Array(line), as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
    switch words.first {
    case "status" where words.count == 1:
      self = .status
    case "policy" where words.count == 2:
      guard let count = Int(words[1]), count >= 0 else {
        throw ControlError("policy LENGTH: how many octets the text has that follows")
      }
      guard count <= PolicyFile.mostBytes else { throw ControlError("a policy has at most 1 MiB") }
      self = .policy(byteCount: count)
    case "large-send" where words.count == 2:
      guard let setting = LargeSendSetting(parsing: String(words[1])) else {
        throw ControlError("large-send SIZE: \(LargeSendSetting.choices)")
      }
      self = .largeSend(setting)
    default:
      throw ControlError("ask for: policy LENGTH, status, large-send SIZE")
    }
  }
}
