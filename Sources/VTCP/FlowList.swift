// SPDX-License-Identifier: Apache-2.0

/// The lists that a flow may be in.
enum FlowList: UInt8, BitwiseCopyable, Sendable {
  /// Has something for the guest; in the order in which they are served.
  case toGuest = 0
  /// Has something for the network.
  case toNetwork = 1
  /// All, in the order in which they are asked to give way to a new one: the oldest first, those that could not at the end.
  case age = 2

  init(towards leg: Leg) { self = leg == .guest ? .toGuest : .toNetwork }

  static var count: Int { 3 }
  var bit: UInt8 { 1 &<< rawValue }
}
