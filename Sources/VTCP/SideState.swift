// SPDX-License-Identifier: Apache-2.0

/// What the module does for one direction of a connection's data (R14: "mode of operation"). See docs/vtcp.md.
public enum SideState: UInt8, BitwiseCopyable, CaseIterable, Sendable {
  /// Frames pass as they are; numbers are noted. Nothing is owed.
  case passThrough
  /// Data pass and are kept too; acknowledgments are the receiver's.
  case holding
  /// New data are kept and acknowledged at once.
  case accelerated
  /// Nothing new is acknowledged; what was, is still to be delivered.
  case draining
  /// Data and acknowledgments pass. What is on its way is known, and the window in acknowledgments is no more than our congestion control
  /// allows (mode `limit`). Nothing is kept.
  case limiting
}
