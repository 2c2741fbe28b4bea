// SPDX-License-Identifier: Apache-2.0

/// What happened to the frames of one direction.
struct RelayCounters {
  var arrived = 0
  var arrivedOctets = 0
  var sent = 0
  var sentOctets = 0
  var lost = 0
  var lostInBursts = 0
  /// No room before the rate.
  var overflowed = 0
  /// More frames on the way than `--frames`, or longer than the other interface's.
  var noRoom = 0
  /// Their virtio header asked for what does not fit.
  var refused = 0
  var duplicated = 0
  var reordered = 0
  var corrupted = 0
  var marked = 0

  /// The members of a JSON object.
  func json(queue: Int, longestQueue: Int, errors: UInt64) -> String {
    let members: [(String, Int)] = [
      ("arrived", arrived), ("arrived_octets", arrivedOctets), ("sent", sent), ("sent_octets", sentOctets),
      ("lost", lost),
      ("lost_in_bursts", lostInBursts), ("overflowed", overflowed), ("no_room", noRoom), ("refused", refused),
      ("duplicated", duplicated), ("reordered", reordered), ("corrupted", corrupted), ("marked", marked),
      ("queue", queue), ("longest_queue", longestQueue), ("send_errors", Int(clamping: errors)),
    ]
    return "{" + members.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}"
  }
}
