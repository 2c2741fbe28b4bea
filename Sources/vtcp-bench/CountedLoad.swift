// SPDX-License-Identifier: Apache-2.0

/// What turns are counted of.
protocol CountedLoad: AnyObject {
  /// "split transmit, null".
  var title: String { get }
  /// Whether frames are so large that a turn has three of them at most.
  var isLarge: Bool { get }
  /// What the next turn is to find.
  func prepare(_ frames: Int) throws
  /// True if there is more to do.
  func turn() -> Bool
  /// Checks that all was done, and makes room for more.
  func finish(_ frames: Int) throws
}
