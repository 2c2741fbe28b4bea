// SPDX-License-Identifier: Apache-2.0

import LargeSend
import Polling
import Timekeeping

/// What can be asked for at the control socket; the first line of a connection (docs/control.md).
enum ControlRequest: Equatable {
  /// So many octets follow: the text of a policy.
  case policy(byteCount: Int)
  case status
  case largeSend(LargeSendSetting)
  /// The descriptor that came with it is the socket of who keeps ours from now on.
  case keeper
  /// No new early acknowledgments; answered when nothing is held any more, or after so long.
  case drain(Interval)
  case endDraining
  case handOver
  /// Frames of both legs are to be shown, from here on and over this connection.
  case capture(CaptureRequest)

  /// Octets of the longest one, its newline included.
  static let longest = 512

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
    case "keeper" where words.count == 1: self = .keeper
    case "hand-over" where words.count == 1: self = .handOver
    case "drain" where words.count == 2 && words[1] == "off": self = .endDraining
    case "drain" where words.count == 2:
      guard let seconds = Int64(words[1]), (0...3600).contains(seconds) else {
        throw ControlError("drain SECONDS: how long to wait at the most, 0 to 3600; or drain off")
      }
      self = .drain(.seconds(seconds))
    case "capture":
      self = .capture(try CaptureRequest(parsing: words.dropFirst()))
    default:
      throw ControlError("ask for: policy LENGTH, status, large-send SIZE, capture, keeper, drain SECONDS, hand-over")
    }
  }
}
