// SPDX-License-Identifier: Apache-2.0

public import Timekeeping

/// What a `MonitorReader` found.
public struct MonitorSnapshot: Sendable {
  public let identity: MonitorIdentity
  /// When the module last had something to say.
  public internal(set) var updated = Instant(nanoseconds: 0)
  public internal(set) var flowCount: UInt32 = 0
  public internal(set) var flowLimit: UInt32 = 0
  public internal(set) var heldChunks: UInt32 = 0
  public internal(set) var chunkLimit: UInt32 = 0
  public internal(set) var chunkBytes: UInt32 = 0
  /// Bits per second, guest to network and network to guest; 0: there is no limit.
  public internal(set) var transmitRate: UInt64 = 0
  public internal(set) var receiveRate: UInt64 = 0
  var counters = [UInt64](repeating: 0, count: MonitorLayout.counterCount)
  var histograms: [Histogram] = []
  /// By number, those that have a name.
  public internal(set) var classes: [ClassReport] = []
  public internal(set) var flows: [FlowReport] = []
  /// Connections whose report was being written whenever it was looked at.
  public internal(set) var unreadable = 0

  init(identity: MonitorIdentity) { self.identity = identity }

  public subscript(counter: MonitorCounter) -> UInt64 { counters[MonitorLayout.place(counter)] }

  public subscript(histogram: MonitorHistogram) -> Histogram { histograms[histogram.rawValue] }

  /// Of all connections that there ever were.
  public func total(_ counter: LegCounter, isNetwork: Bool) -> UInt64 {
    counters[MonitorLayout.place(counter, isNetwork: isNetwork)]
  }
}
