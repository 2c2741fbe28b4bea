// SPDX-License-Identifier: Apache-2.0
import CTestSupport
import TestSupport
import Testing

extension NICTests {
  /// The first stage by the program, the second by the kernel, against the kernel's own cutting of the whole packet.
  ///
  /// An interface that segments nothing and completes no checksums has all that done by the kernel. A packet is sent to it twice: whole, by a
  /// packet socket; and by the guest, from which `vtcp-nic` makes pieces of what the interface says it takes. At the other end both
  /// must be the same frames in the same order, octet for octet: lengths, identification, sequence numbers, flags,
  /// options, checksums. But for two things, in which the kernel relies on never being asked:
  ///
  /// - it repeats URG and the urgent pointer in each segment, so what it makes points at other octets. Each piece's pointer is right
  ///   at its beginning;
  /// - it repeats SYN and RST. A packet with them that would have to be split is dropped and counted.
  @Suite(
    .enabled(
      if: PrivateNetwork.isAvailable && NICProcess.isConfined,
      "needs root and /dev/net/tun, and is short of time with sanitizers"))
  struct KernelSegmentationTests {
    /// What the interface says it takes: IFLA_GSO_MAX_SIZE, and IFLA_GSO_MAX_SEGS.
    struct Limits: Sendable {
      let bytes: Int
      let segments: Int

      static let all = [
        Limits(bytes: 16_384, segments: 65_535), Limits(bytes: 65_536, segments: 20), Limits(bytes: 3_000, segments: 2),
        Limits(bytes: 63_488, segments: 65_535), Limits(bytes: 31_999, segments: 7), Limits(bytes: 65_536, segments: 1),
        Limits(bytes: 65_536, segments: 65_535), Limits(bytes: 150_000, segments: 65_535),
      ]
    }

    private static let packets = 40

    @Test(
      "R64, R66: what leaves in pieces is what the kernel makes of the whole, field by field", arguments: Limits.all)
    func same(limits: Limits) throws {
      try PrivateNetwork.run {
        try PrivateNetwork.command(
          "ip link add va mtu 65535 type veth peer name vb mtu 65535 && ip link set va up && ip link set vb up")
        try PrivateNetwork.command("ethtool -K va tx off >/dev/null")
        try PrivateNetwork.command("ip link set va gso_max_size \(limits.bytes) gso_max_segs \(limits.segments)")
        if limits.bytes > 65_536 {
          // Linux 6.3. Before, IPv4 leaves in pieces of 64 KiB.
          _ = test_take_large_ipv4("va", UInt32(limits.bytes))
        }
        try SegmentationComparison(limits).run(packets: Self.packets)
      }
    }
  }
}
