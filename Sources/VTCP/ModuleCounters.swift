// SPDX-License-Identifier: Apache-2.0

/// What happened in the module as a whole. All wrap.
public struct ModuleCounters: BitwiseCopyable, Equatable, Sendable {
  /// Connections that were followed from their first SYN.
  public var flows: UInt64 = 0
  /// Connections that were not, as the table was full.
  public var refusedFlows: UInt64 = 0
  /// Connections that were let pass for ever (`PassReason`).
  public var untouchableFlows: UInt64 = 0
  /// Octets acknowledged before the receiver had acknowledged them.
  public var earlyOctets: UInt64 = 0
  /// Times that a side began to acknowledge early, and that it ceased to.
  public var accelerations: UInt64 = 0
  public var drains: UInt64 = 0
  /// Packets whose numbers can't be right; they passed and changed nothing.
  public var implausible: UInt64 = 0
  /// Segments that were not taken over since their checksum is wrong.
  public var badChecksums: UInt64 = 0
  /// Segments that were dropped for want of room; their sender has no acknowledgment for them.
  public var droppedSegments: UInt64 = 0
  /// Segments that came out of order and were kept (R23).
  public var storedSegments: UInt64 = 0
  /// How often a router had segments made smaller.
  public var narrowedPaths: UInt64 = 0
  /// Octets that were acknowledged early and that the receiver can't get any more: a reset, or an end that is gone.
  public var lostOctets: UInt64 = 0
  /// Connections that we reset since one end is gone.
  public var resets: UInt64 = 0
  /// How often the guest took long to react: it waited for a processor.
  public var stalls: UInt64 = 0
  /// Octets of frames that waited for the rate of the VM, guest to network and network to guest; those that passed and were charged; and
  /// how often somebody waited.
  public var transmitShaped: UInt64 = 0
  public var receiveShaped: UInt64 = 0
  public var transmitCharged: UInt64 = 0
  public var receiveCharged: UInt64 = 0
  public var shaperWaits: UInt64 = 0

  public init() {}

  /// For logs: name=value, those that are not zero.
  public var text: String {
    let all: [(String, UInt64)] = [
      ("followed", flows), ("refused", refusedFlows), ("untouchable", untouchableFlows), ("early-octets", earlyOctets),
      ("accelerations", accelerations), ("drains", drains), ("implausible", implausible),
      ("bad-checksums", badChecksums), ("dropped", droppedSegments),
      ("stored", storedSegments), ("narrowed", narrowedPaths), ("lost-octets", lostOctets), ("resets", resets),
      ("stalls", stalls), ("transmit-shaped", transmitShaped), ("receive-shaped", receiveShaped),
      ("transmit-charged", transmitCharged), ("receive-charged", receiveCharged), ("shaper-waits", shaperWaits),
    ]
    return all.filter { $0.1 > 0 }.map { "\($0.0)=\($0.1)" }.joined(separator: " ")
  }
}
