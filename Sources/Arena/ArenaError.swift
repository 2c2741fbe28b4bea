// SPDX-License-Identifier: Apache-2.0

/// Why a state memory, or a table in it, can't be used.
public enum ArenaError: Error, Equatable, Sendable {
  /// The memory is smaller than what the number of queues, or of records, needs. Bytes.
  case tooSmall(has: Int, needs: Int)
  /// Something else, or a damaged arena, lies there.
  case notAnArena
  /// Written by a program with another layout.
  case otherVersion(UInt32)
  /// Made for another number of queues.
  case otherQueueCount(Int)
  /// The memory's address is not a multiple of so many bytes.
  case notAligned(to: Int)
  /// A table made for records of another size, or another number of them: what it was made for.
  case otherShape(stride: Int, limit: Int)
  /// A table's header has numbers that can't be.
  case damaged
}
