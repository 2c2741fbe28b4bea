// SPDX-License-Identifier: Apache-2.0

/// What vtcpd.yaml says (docs/host-service.md).
public struct ServiceConfiguration: Equatable, Sendable {
  public static let defaultPath = "/etc/vtcp/vtcpd.yaml"

  public var paths = RunPaths(runDirectory: "/run/vtcp", stateDirectory: "/var/lib/vtcp")
  /// Files of the policy; of a directory all that end in `.yaml`, by name.
  public var policyFiles = ["/etc/vtcp/policy.yaml", "/etc/vtcp/policy.d"]
  /// The group of the control socket, by name or number; nil: our own.
  public var controlGroup: String?
  /// Users who may change things, besides root and our own.
  public var administrators: [String] = []
  /// The group of the sockets that QEMU connects to.
  public var socketGroup: String?
  /// Nil: the vtcp-nic beside us.
  public var program: String?
  /// Nil: our own user.
  public var users: UserRange?
  /// NICs' group; nil: our own.
  public var nicGroup: String?
  /// Octets of private memory of a NIC; nil: no limit.
  public var memoryLimit: UInt64?
  public var fileLimit = 4096
  /// A directory of cgroup2 that we may write to; each NIC gets one below it.
  public var controlGroupDirectory: String?
  /// More options of vtcp-nic, for all.
  public var options: [String] = []
  public var uplink = UplinkTemplate("tap:{nic}")
  public var bridge: String?
  public var queuePairs = 1
  public var mtu: Int?
  public var mode = "early"
  public var poll = "adaptive"
  public var restart = RestartPlan.Rules()

  public init() {}
}
