// SPDX-License-Identifier: Apache-2.0

public import TCPPolicy

/// How much the module may hold, and what it does for whom.
public struct ModuleConfiguration: BitwiseCopyable, Equatable, Sendable {
  /// Connections that are followed at once; further ones pass through.
  public var flowLimit = 65536
  /// Chunks of 4 KiB for all connections together.
  public var chunkLimit = 65536
  /// Directions of connections that may be held at once. Both of each, or those that are idle keep new ones from being held; memory that
  /// was never needed takes no room.
  public var sendingLimit = 131_072
  /// Runs of octets in flight, of 40 bytes each, that may be told from each other, beside one for each direction that is held.
  public var transmissionLimit = 262_144
  /// For all connections, where no policy tells them apart.
  public var flow = FlowConfiguration()
  /// For all of them together, where no policy says it.
  public var shaping = Shaping()
  /// Of the hash of keys; drawn at start, since guests choose their ports.
  public var seed: UInt64 = 0

  public init() {}
}
