// SPDX-License-Identifier: Apache-2.0

/// libvirt's `<bandwidth>` of an interface, in its units: kilobytes (1000 octets) a second, and KiB. 0: not said.
public struct NICBandwidth: Equatable, Sendable {
  /// Network to guest.
  public var inboundAverage = 0
  public var inboundPeak = 0
  public var inboundBurst = 0
  /// Guest to network.
  public var outboundAverage = 0
  public var outboundPeak = 0
  public var outboundBurst = 0

  public init() {}

  var hasPeaks: Bool { inboundPeak != 0 || inboundBurst != 0 || outboundPeak != 0 || outboundBurst != 0 }
}
