// SPDX-License-Identifier: Apache-2.0

/// Why a state memory can't be used.
public enum ArenaError: Error, Equatable, Sendable {
  /// The memory is smaller than what the number of queues needs. Bytes.
  case tooSmall(has: Int, needs: Int)
  /// Something else, or a damaged arena, lies there.
  case notAnArena
  /// Written by a program with another layout.
  case otherVersion(UInt32)
  /// Made for another number of queues.
  case otherQueueCount(Int)
}
