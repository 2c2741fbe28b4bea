// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import Polling

/// The command line.
struct Options {
  static let help = """
    usage: vtcp-libvirt-events [--connect=URI] [--control-socket=PATH] [--log-level=LEVEL]

    Tells vtcpd of changed metadata and of devices that are plugged in or out (docs/libvirt.md).

      --connect=URI          libvirt's (qemu:///system)
      --control-socket=PATH  where vtcpd listens (\(ControlClient.defaultPath))
      --log-level=LEVEL      error, warning, info or debug (info)

    """

  private(set) var uri = "qemu:///system"
  private(set) var controlSocket = ControlClient.defaultPath
  private(set) var logLevel = Log.Level.info
  private(set) var asksHelp = false

  init(arguments: [String]) throws(OptionsError) {
    for argument in arguments {
      if argument == "--help" {
        asksHelp = true
      } else if let value = Self.value(argument, "--connect=") {
        uri = value
      } else if let value = Self.value(argument, "--control-socket=") {
        controlSocket = value
      } else if let value = Self.value(argument, "--log-level=") {
        guard let level = Log.Level(named: value) else {
          throw OptionsError(description: "--log-level: \(value) is none of error, warning, info and debug")
        }
        logLevel = level
      } else {
        throw OptionsError(description: "there is no option \(argument); see --help")
      }
    }
  }

  private static func value(_ argument: String, _ prefix: String) -> String? {
    argument.hasPrefix(prefix) ? String(argument.dropFirst(prefix.count)) : nil
  }
}
