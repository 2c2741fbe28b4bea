// SPDX-License-Identifier: Apache-2.0

/// What front-ends did since the program started, over all connections.
public final class FrontEndCounters {
  public internal(set) var connections: UInt64 = 0
  public internal(set) var requests: UInt64 = 0
  /// Requests that were not carried out: unknown, malformed, out of place or impossible.
  public internal(set) var refusedRequests: UInt64 = 0
  /// Connections that were ended here since what came was no message.
  public internal(set) var brokenConnections: UInt64 = 0
  /// Connections that were ended here since a memory file was cut short below us.
  public var shortenedMemory: UInt64 = 0

  public init() {}
}
