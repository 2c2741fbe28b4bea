// SPDX-License-Identifier: Apache-2.0

import CLinux
import Packets
public import Polling

/// What an interface takes in one piece, and what work it does itself. Read by rtnetlink (IFLA_*) and ethtool.
public struct LinkLimits: Equatable, Sendable {
  /// Bytes behind the Ethernet header.
  public var mtu: Int
  /// The longest frame to segment, in bytes, IPv6 (IFLA_GSO_MAX_SIZE).
  public var gsoMaxSize: Int
  /// The most segments of one frame (IFLA_GSO_MAX_SEGS).
  public var gsoMaxSegments: Int
  /// The same for IPv4 (IFLA_GSO_IPV4_MAX_SIZE, Linux 6.3); before it, at most 65,536.
  public var gsoIPv4MaxSize: Int
  /// What the hardware takes (IFLA_TSO_MAX_SIZE, Linux 6.0); 0 when the kernel does not say.
  public var tsoMaxSize: Int
  /// IFLA_TSO_MAX_SEGS, Linux 6.0; 0 when the kernel does not say.
  public var tsoMaxSegments: Int
  /// The device completes checksums of both IPv4 and IPv6; else the kernel does it before the device.
  public var transmitChecksum: Bool
  /// The device segments; else the kernel does it before the device.
  public var tso4: Bool
  public var tso6: Bool

  /// The limits of the interface named, in this thread's network namespace.
  public static func read(interface: String) throws(SystemError) -> LinkLimits {
    var limits = vtcp_link_limits()
    try SystemCalls.check("read the limits of \(interface)", vtcp_read_link_limits(interface, &limits))
    return LinkLimits(limits)
  }

  init(_ limits: vtcp_link_limits) {
    mtu = Int(limits.mtu)
    gsoMaxSize = Int(limits.gso_max_size)
    gsoMaxSegments = Int(limits.gso_max_segments)
    gsoIPv4MaxSize = limits.gso_ipv4_max_size != 0 ? Int(limits.gso_ipv4_max_size) : min(gsoMaxSize, 65_536)
    tsoMaxSize = Int(limits.tso_max_size)
    tsoMaxSegments = Int(limits.tso_max_segments)
    transmitChecksum = limits.transmit_checksum != 0
    tso4 = limits.tso4 != 0
    tso6 = limits.tso6 != 0
  }

  /// What may be given to the interface in one piece, so that it is not cut by the kernel.
  ///
  /// The kernel cuts a frame as long as IFLA_GSO_MAX_SIZE by itself: one byte less is the most (`gso_features_check`). The most
  /// segments it does not hold frames of packet sockets and TAPs to; a driver may rely on them.
  var egress: EgressLimits {
    let hardware = tsoMaxSize > 0 ? tsoMaxSize : Int.max
    let segments = gsoMaxSegments > 0 ? gsoMaxSegments : EgressLimits.mostSegments
    return EgressLimits(
      ipv4Bytes: min(gsoIPv4MaxSize > 0 ? gsoIPv4MaxSize : 65_536, hardware) - 1,
      ipv6Bytes: min(gsoMaxSize > 0 ? gsoMaxSize : 65_536, hardware) - 1,
      segments: min(segments, tsoMaxSegments > 0 ? tsoMaxSegments : segments))
  }
}
