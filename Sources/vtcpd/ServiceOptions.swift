// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import Polling
import TCPPolicy

/// The command line of vtcpd. What it says wins over the configuration file.
struct ServiceOptions {
  /// What to do instead of serving.
  enum Question {
    case help
    case version
    /// Read the configuration and the policy, and tell what is wrong.
    case check
  }

  private static let names = [
    "--config", "--run-directory", "--state-directory", "--policy", "--nic-program", "--log-level",
  ]

  var question: Question?
  var configurationFile: String?
  var runDirectory: String?
  var stateDirectory: String?
  var policyFiles: [String] = []
  var program: String?
  var logLevel = Log.Level.info

  /// `arguments` without the program's name.
  init(parsing arguments: [String]) throws(ServiceError) {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--help", "-h": question = question ?? .help
      case "--version": question = question ?? .version
      case "--check": question = question ?? .check
      default:
        let (name, value) = try Self.option(argument, &rest)
        try set(name, value)
      }
    }
  }

  private static func option(
    _ argument: String, _ rest: inout ArraySlice<String>
  ) throws(ServiceError) -> (String, String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard names.contains(name) else {
      let hint = NearestWord.of(name, in: names + ["--help", "--version", "--check"]).map { "; did you mean \($0)?" }
      throw ServiceError(.mistaken, "there is no option '\(name)'\(hint ?? ", see --help")")
    }
    if parts.count == 2, !parts[1].isEmpty { return (name, String(parts[1])) }
    guard parts.count == 1, let value = rest.first, !value.hasPrefix("--") else {
      throw ServiceError(.mistaken, "\(name) needs a value: \(name)=VALUE")
    }
    rest.removeFirst()
    return (name, value)
  }

  private mutating func set(_ name: String, _ value: String) throws(ServiceError) {
    switch name {
    case "--config": configurationFile = value
    case "--run-directory": runDirectory = try Self.path(name, value)
    case "--state-directory": stateDirectory = try Self.path(name, value)
    case "--policy": policyFiles.append(try Self.path(name, value))
    case "--nic-program": program = try Self.path(name, value)
    default:
      guard let level = Log.Level(named: value) else {
        throw ServiceError(.mistaken, "--log-level is error, warning, info or debug, not '\(value)'")
      }
      logLevel = level
    }
  }

  private static func path(_ name: String, _ value: String) throws(ServiceError) -> String {
    guard value.hasPrefix("/"), value.utf8.count < 4096 else {
      throw ServiceError(.mistaken, "\(name) is a path that begins with a slash, not '\(value)'")
    }
    return value.count > 1 && value.hasSuffix("/") ? String(value.dropLast()) : value
  }

  /// The configuration, as the file and the command line say.
  func apply(to configuration: inout ServiceConfiguration) {
    configuration.paths = RunPaths(
      runDirectory: runDirectory ?? configuration.paths.runDirectory,
      stateDirectory: stateDirectory ?? configuration.paths.stateDirectory)
    if !policyFiles.isEmpty { configuration.policyFiles = policyFiles }
    if let program { configuration.program = program }
  }
}
