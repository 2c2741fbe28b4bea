// SPDX-License-Identifier: Apache-2.0

/// How a NIC's program is started: its options. What it works with, it is handed by name (docs/keeping.md).
public struct NICCommand: Equatable, Sendable {
  /// Without the program's name.
  public let arguments: [String]
  /// `LISTEN_PID=` is filled in by who starts it.
  public let environment: [String]

  /// - Parameters:
  ///   - uplink: `tap:NAME` and the like.
  ///   - descriptorNames: of what it is handed from descriptor 3 on.
  ///   - policy: the file with its policy; nil: there is none.
  public init(
    name: NICName, settings: NICSettings, configuration: ServiceConfiguration, uplink: String,
    descriptorNames: [String], policy: String?
  ) {
    let paths = configuration.paths
    let mode = settings.mode ?? configuration.mode
    var arguments = [
      "--name=\(name)", "--socket-path=\(paths.socket(name))", "--uplink=\(uplink)",
      "--queues=\(settings.queuePairs ?? configuration.queuePairs)", "--vtcp=\(mode)", "--poll=\(configuration.poll)",
      "--control-socket=\(paths.control(name))",
    ]
    if let mtu = settings.mtu ?? configuration.mtu { arguments.append("--mtu=\(mtu)") }
    if let address = settings.macAddress { arguments.append("--mac=\(address)") }
    if mode != "off" {
      arguments.append("--stats-file=\(paths.statistics(name))")
      if let policy { arguments.append("--policy=\(policy)") }
    }
    self.arguments = arguments + configuration.options
    environment = [
      "LISTEN_PID=0000000000", "LISTEN_FDS=\(descriptorNames.count)",
      "LISTEN_FDNAMES=\(descriptorNames.joined(separator: ":"))", "NOTIFY_SOCKET=\(paths.notify(name))",
    ]
  }
}
