// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The root of all commands.
struct VTCPControl: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vtcpctl",
    abstract: "Looks at the virtual NICs of this host, and changes what they do.",
    discussion: """
      It asks vtcpd. Of a vtcp-nic that runs without it, --nic-control and --stats-file say where it is to be found.
      Exit status: 0 done, 1 failed, 2 it can't be meant so, 3 nobody answers.
      """,
    version: "0.1.0",
    subcommands: [
      StatusCommand.self, NICsCommand.self, FlowsCommand.self, TopCommand.self, ObserveCommand.self, StatsCommand.self,
      TraceCommand.self, CaptureCommand.self, ExplainCommand.self, PolicyCommand.self, OverrideCommand.self,
      PortCommand.self, DrainCommand.self, UpgradeCommand.self, DoctorCommand.self, QEMUArgumentsCommand.self,
      LibvirtCommand.self,
    ])
}
