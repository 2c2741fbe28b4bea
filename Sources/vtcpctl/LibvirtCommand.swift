// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct LibvirtCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "libvirt", abstract: "Guests of libvirt, and what their XML needs.",
    subcommands: [LibvirtRewriteCommand.self, LibvirtCheckCommand.self, LibvirtAttachCommand.self])
}
