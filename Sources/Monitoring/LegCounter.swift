// SPDX-License-Identifier: Apache-2.0

/// What is counted on each leg, for each connection and for all together. The raw value is the place. "Came" is from the leg's
/// end, "went" is towards it.
public enum LegCounter: Int, CaseIterable, Sendable {
  /// Segments with data that came.
  case segments
  /// Segments that came and held nothing new.
  case duplicates
  /// Segments that came ahead of what was expected.
  case outOfOrder
  /// Acknowledgments that came and repeated the last one while data were on their way.
  case duplicateAcknowledgments
  /// Times that the end closed its window.
  case zeroWindows
  /// Segments that we sent again.
  case retransmissions
  /// Timeouts of ours.
  case timeouts
  /// Acknowledgments that we sent in the other end's name.
  case earlyAcknowledgments
  /// Acknowledgments of the end that we kept to ourselves.
  case swallowedAcknowledgments

  var name: String {
    switch self {
    case .segments: "segments"
    case .duplicates: "duplicates"
    case .outOfOrder: "out_of_order"
    case .duplicateAcknowledgments: "duplicate_acknowledgments"
    case .zeroWindows: "zero_windows"
    case .retransmissions: "retransmissions"
    case .timeouts: "timeouts"
    case .earlyAcknowledgments: "early_acknowledgments"
    case .swallowedAcknowledgments: "swallowed_acknowledgments"
    }
  }

  /// As `ss -i` would say it, where it has a word.
  var word: String {
    switch self {
    case .segments: "data_segs_in"
    case .duplicates: "dup_segs_in"
    case .outOfOrder: "ooo_segs_in"
    case .duplicateAcknowledgments: "dupacks"
    case .zeroWindows: "zero_windows"
    case .retransmissions: "retrans"
    case .timeouts: "timeouts"
    case .earlyAcknowledgments: "early_acks"
    case .swallowedAcknowledgments: "swallowed_acks"
    }
  }
}
